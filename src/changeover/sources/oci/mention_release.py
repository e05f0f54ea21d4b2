"""Where a release says what its images are: `images:` of its manifest, or the file named there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from changeover.errors import InvalidInput
from changeover.sources.bundle import bundle_path
from changeover.sources.oci.fault import BadReference
from changeover.sources.oci.mention_text import read_text

MANIFEST = "release.yaml"


@dataclass(frozen=True)
class Named:
    """A value that is an image, and what the release calls it."""

    node: yaml.ScalarNode
    name: str = ""
    edition: str = ""


Finder = Callable[[str], Iterator[Named]]
"""Finds the images in the text of a file."""


def release_images(folder: Path) -> tuple[Path, Finder] | None:
    """Return the file with the images of a release folder, and how to find them; none without.

    Raises `BadReference` where the manifest names a file that is not there.
    """
    manifest = folder / MANIFEST
    section = _value(_root(manifest), "images") if manifest.is_file() else None
    if isinstance(section, yaml.MappingNode):
        return manifest, partial(_found, below="images")
    if not isinstance(section, yaml.ScalarNode) or not section.value:
        return None
    try:
        return bundle_path(folder, section.value), partial(_found, below="")
    except InvalidInput as error:
        raise BadReference(f"{manifest}: images: {error.message}", error.remedy) from None


def _root(file: Path) -> yaml.Node | None:
    try:
        return yaml.compose(read_text(file), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def _value(node: yaml.Node | None, wanted: str) -> yaml.Node | None:
    return next((value for name, value in _entries(node) if name == wanted), None)


def _entries(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, value


def _found(text: str, below: str) -> Iterator[Named]:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for name, written in _entries(_value(root, below) if below else root):
        image = _value(written, "image") if isinstance(written, yaml.MappingNode) else written
        if isinstance(image, yaml.ScalarNode):
            yield Named(image, name)
        for edition, node in _entries(image):
            if isinstance(node, yaml.ScalarNode):
                yield Named(node, name, edition)
