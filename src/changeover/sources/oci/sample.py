"""Images made up for tests and benchmarks: real formats, random or chosen layers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from changeover.sources.oci.media import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    canonical,
    digest_of,
    index_body,
    parse_manifest,
)
from changeover.sources.oci.medium import Target
from changeover.sources.oci.passage import Passage
from changeover.sources.oci.patience import Budget
from changeover.sources.oci.stream import Bytes

_LONGEST = 16 << 20


@dataclass
class Sample:
    """An image or an index with everything it needs."""

    manifest: Manifest
    blobs: dict[str, bytes] = field(default_factory=dict, repr=False)
    children: tuple[Sample, ...] = ()

    @property
    def digest(self) -> str:
        """Return the digest of its manifest."""
        return self.manifest.digest

    def all_blobs(self) -> dict[str, bytes]:
        """Return the blobs of it and of its children."""
        found = dict(self.blobs)
        for child in self.children:
            found |= child.all_blobs()
        return found


def image(layers: Sequence[bytes], *, subject: Manifest | None = None, kind: str = "") -> Sample:
    """Make an image of these layers; with a subject, something attached to another one."""
    diff_ids = [digest_of(layer) for layer in layers]
    config = canonical({"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": diff_ids}})
    blobs = {digest_of(config): config, **dict(zip(diff_ids, layers, strict=True))}
    tree = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": Descriptor(OCI_CONFIG, digest_of(config), len(config)).document(),
        "layers": [
            Descriptor(OCI_LAYER, d, len(c)).document()
            for d, c in zip(diff_ids, layers, strict=True)
        ],
    }
    if subject:
        tree |= {"subject": subject.descriptor.document(), "artifactType": kind or "test/thing"}
    return Sample(parse_manifest(canonical(tree), "sample"), blobs)


def index(images: dict[str, Sample]) -> Sample:
    """Make an index of images by platform."""
    children = tuple(
        Descriptor(OCI_MANIFEST, s.digest, len(s.manifest.body), platform)
        for platform, s in images.items()
    )
    manifest = parse_manifest(index_body(children), "sample", OCI_INDEX)
    return Sample(manifest, {}, tuple(images.values()))


def layer(seed: int, size: int) -> bytes:
    """Return bytes that nothing compresses, the same ones for a seed."""
    some = random.Random(seed).randbytes(min(size, _LONGEST))  # noqa: S311 - test content
    return (some * (size // _LONGEST + 1))[:size]


def push(target: Target, name: str, tag: str, sample: Sample) -> None:
    """Store a sample with everything it needs."""
    for child in sample.children:
        push(target, name, child.digest, child)
    for digest, content in sample.blobs.items():
        if target.blob_size(name, digest) is None:
            blob = Descriptor("", digest, len(content))
            passage = Passage(blob, lambda at, c=content: Bytes(c, at), Budget())  # type: ignore[misc]  # the default binds
            target.put_blob(name, passage, ())
    target.put_manifest(name, tag, sample.manifest)
    if sample.manifest.subject:
        target.attach(name, sample.manifest)
