"""Which platforms an image is for: its index says so, or else its configuration."""

from __future__ import annotations

import json
from functools import partial

from changeover.sources.oci.media import LARGEST_MANIFEST, OCI_ARTIFACT, Manifest
from changeover.sources.oci.medium import Source
from changeover.sources.oci.passage import Passage
from changeover.sources.oci.patience import Budget

_PARTS = ("os", "architecture", "variant")


def listed_platforms(manifest: Manifest) -> tuple[str, ...]:
    """Return what an index says, such as `linux/arm64`; nothing for a single image."""
    found = (child.platform for child in manifest.children)
    # Attestations stand in an index as images for `unknown/unknown`.
    return tuple(dict.fromkeys(p for p in found if p and "unknown" not in p))


def platforms_of(source: Source, name: str, manifest: Manifest, budget: Budget) -> tuple[str, ...]:
    """Return the platforms of an image, reading its configuration where it is a single one.

    Raises `ImageFault` where that cannot be read or is not what its digest says.
    """
    if manifest.is_index or manifest.media_type == OCI_ARTIFACT or not manifest.blobs:
        return listed_platforms(manifest)
    config = manifest.blobs[0]
    if config.size > LARGEST_MANIFEST:
        return ()
    body = bytearray()
    passage = Passage(config, partial(source.open, name, config), budget)
    try:
        passage.pour(body.extend, config.size)
    finally:
        passage.close()
    return _platform(bytes(body))


def _platform(config: bytes) -> tuple[str, ...]:
    try:
        tree = json.loads(config)
        said = [str(tree[part]) for part in _PARTS if tree.get(part)]
    except (ValueError, AttributeError, RecursionError):
        return ()
    return ("/".join(said),) if said and all(map(str.isprintable, said)) else ()
