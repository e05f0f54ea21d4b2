"""What is wrong with the images of a release: tags that may move, editions, names nobody uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from changeover.errors import InvalidInput
from changeover.model.problem import WARNING, Problem, suggestion
from changeover.model.release import Image
from changeover.sources.bundle import bundle_files
from changeover.sources.expansion import PlacedStep
from changeover.sources.images_written import EVERY
from changeover.sources.manifest_build import Manifest
from changeover.sources.oci.reference import parse_reference
from changeover.sources.when import asks_host

_USED = re.compile(r"""release\.images(?:\.(\w+)|\[\s*["'](\w+)["']\s*\])?""")
_READ = 1 << 20
"""Bytes a file may have that is searched for names of images."""


def image_problems(manifest: Manifest, steps: list[PlacedStep]) -> Iterator[Problem]:
    """Report what is wrong with the images of a release."""
    images = manifest.images.images
    for image in images:
        yield from _references(image)
        yield from _editions(image, manifest)
        if asks_host(image.when):
            remedy = "use edition, method, module, feature or input"
            message = f"images.{image.name}: no host is asked which images are needed"
            yield Problem(message, image.where, remedy)
    if images:
        yield from _unused(images, manifest, steps)


def _references(image: Image) -> Iterator[Problem]:
    for reference in image.references.values():
        if not parse_reference(reference).digest:
            message = f"images.{image.name}: {reference}: a tag may move; a digest does not"
            remedy = "write @sha256:... after it: changeover images list shows which"
            yield Problem(message, image.where, remedy, name=f"image-by-tag:{image.name}")


def _editions(image: Image, manifest: Manifest) -> Iterator[Problem]:
    known = manifest.written.editions
    for edition in image.references:
        if edition != EVERY and edition not in known:
            message = f"images.{image.name}: this release has no edition `{edition}`"
            remedy = suggestion(edition, known) or "name it under `editions:`"
            yield Problem(message, image.where, remedy)


def _unused(
    images: tuple[Image, ...], manifest: Manifest, steps: list[PlacedStep]
) -> Iterator[Problem]:
    texts = [t for s in steps for t in _texts([s.step.with_, *s.step.params])]
    if any(map(_takes_all, steps)) or None in _said(texts):
        return
    texts += _files(manifest)
    said = _said(texts)
    for image in images:
        if None not in said and image.name not in said and not _named(image, texts):
            message = f"images.{image.name}: no step and no file uses it"
            remedy = 'mirror it: images: "{{ release.images }}", or take it out'
            name = f"unused-image:{image.name}"
            yield Problem(message, image.where, remedy, WARNING, name)


def _takes_all(placed: PlacedStep) -> bool:
    """Tell whether a step is given all images because it names none."""
    return placed.step.use == "images.mirror" and "images" not in placed.step.with_


def _said(texts: list[str]) -> set[str | None]:
    """Return the names that templates say; none of them for the images as a whole."""
    return {found[1] or found[2] for text in texts for found in _USED.finditer(text)}


def _named(image: Image, texts: list[str]) -> bool:
    repositories = {parse_reference(r).name for r in image.references.values()}
    return any(name in text for name in repositories for text in texts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _files(manifest: Manifest) -> list[str]:
    """Return the text of the bundle's files beside those that define the images."""
    own = {manifest.tree.file, manifest.images.tree.file}
    try:
        files = list(bundle_files(manifest.folder))
    except InvalidInput:
        return []
    return [
        path.read_bytes().decode("utf-8", "replace")
        for name, path in files
        if not any(file.endswith(f"/{name}") for file in own) and path.stat().st_size <= _READ
    ]
