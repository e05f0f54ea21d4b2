"""The images of a release: those of its manifest, or of the file the manifest names."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from changeover.errors import InvalidInput
from changeover.model.problem import Problem
from changeover.model.release import Image
from changeover.sources.bundle import bundle_path
from changeover.sources.checked import checked
from changeover.sources.expansion import condition
from changeover.sources.images_written import ImagesWritten, ImageWritten
from changeover.sources.manifest import ManifestWritten
from changeover.sources.yamlevents import Mark
from changeover.sources.yamltree import Tree, read_tree

PLACE = ("images",)


@dataclass(frozen=True)
class ImageList:
    """The images of a release, and what they were read from."""

    images: tuple[Image, ...] = ()
    tree: Tree = field(default_factory=lambda: Tree({}))
    """They stand below `images` in it."""


def read_images(
    written: ManifestWritten | None, tree: Tree, folder: Path, shown: str
) -> tuple[ImageList, list[Problem]]:
    """Return the images of a release, and what is wrong with the shape of their file."""
    if written is None:
        return ImageList(), []
    images, problems = written.images, list[Problem]()
    name = tree.value.get("images")
    if isinstance(name, str):
        try:
            path = bundle_path(folder, name)
        except InvalidInput as error:
            where = tree.where(PLACE)
            return ImageList(), [Problem(f"images: {error.message}", where, error.remedy)]
        try:
            tree = images_tree(path, f"{shown}/{name}")
        except InvalidInput as error:
            return ImageList(), [Problem(error.message, remedy=error.remedy)]
        found, problems = checked(ImagesWritten, tree)
        images = found.images if found else {}
    made = tuple(_image(n, image, tree) for n, image in images.items())
    return ImageList(made, tree), problems


def images_tree(path: Path, shown: str) -> Tree:
    """Return what a file of images says, below the key it would have in the manifest."""
    read = read_tree(path, shown)
    return Tree({"images": read.value}, read.file, Mark(below={"images": read.mark}))


def _image(name: str, written: ImageWritten, tree: Tree) -> Image:
    where = tree.where((*PLACE, name), key=True)
    return Image(name, written.image, condition(written.when), where)
