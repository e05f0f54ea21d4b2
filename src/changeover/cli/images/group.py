"""`changeover images`: find, copy, compare, verify and load container images."""

from __future__ import annotations

import click

from changeover.cli.lazy import LazyGroup

_HERE = "changeover.cli.images."

COMMANDS = {
    "list": (_HERE + "listing:list_images", "List the images that files name, or a layout holds."),
    "copy": (_HERE + "copy:copy", "Copy images between registries, layouts and archives."),
    "diff": (_HERE + "comparing:diff", "Compare the images of two versions."),
    "verify": (_HERE + "verify:verify", "Look whether images are there, whole and sound."),
    "load": (_HERE + "load:load", "Bring images to an engine that has no registry."),
    "rewrite": (_HERE + "rewrite:rewrite", "Make files name images at another registry."),
}


@click.group("images", cls=LazyGroup, lazy=COMMANDS)
def group() -> None:
    """Find, copy, compare, verify and load container images.

    An image is written docker://HOST/NAME:TAG, HOST/NAME@sha256:…, oci:FOLDER:REF,
    oci-archive:FILE:REF or docker-archive:FILE; a bare name means what it means to Docker.
    """
