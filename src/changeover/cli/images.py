"""`changeover images`: find, copy, compare, verify and load container images."""

from __future__ import annotations

import click

from changeover.cli.lazy import LazyGroup

_CLI = "changeover.cli."

COMMANDS = {
    "list": (_CLI + "images_look:list_images", "List the images that files name."),
    "copy": (_CLI + "images_copy:copy", "Copy images between registries, layouts and archives."),
    "diff": (_CLI + "images_look:diff", "Compare the images of two versions."),
    "verify": (_CLI + "images_verify:verify", "Look whether images are there, whole and sound."),
    "load": (_CLI + "images_load:load", "Bring images to an engine that has no registry."),
    "rewrite": (_CLI + "images_rewrite:rewrite", "Make files name images at another registry."),
}


@click.group("images", cls=LazyGroup, lazy=COMMANDS)
def group() -> None:
    """Find, copy, compare, verify and load container images.

    An image is written docker://HOST/NAME:TAG, HOST/NAME@sha256:…, oci:FOLDER:REF,
    oci-archive:FILE:REF or docker-archive:FILE; a bare name means what it means to Docker.
    """
