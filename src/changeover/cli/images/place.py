"""What commands about images are given: files, folders, and versions of an instance's releases."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click

from changeover.cli.options import given_here, named_instance
from changeover.errors import InvalidInput
from changeover.sources.oci.mention import mentions
from changeover.sources.oci.mention_text import Mention
from changeover.sources.oci.reference import HELD_KINDS

edition_option = click.option(
    "--edition", default="", metavar="NAME", help="Of releases, only what this edition uses."
)
"""Gives `edition: str`."""


def is_held(written: str) -> bool:
    """Tell whether a word means a layout or an archive rather than a file that names images."""
    kind = written.partition(":")[0]
    return kind != written and kind in HELD_KINDS


def is_in_registry(written: str) -> bool:
    """Tell whether a word is an image of a registry, written out."""
    return written.startswith("docker://")


def mentioned(places: Iterable[str | Path], edition: str = "") -> list[Mention]:
    """Return the images that files, folders and releases name."""
    found = [m for place in places for m in mentions(place_of(str(place)), os.environ)]
    return [m for m in found if not edition or m.edition in ("", edition)]


def place_of(written: str) -> Path:
    """Return a path, or the folder of a version in the hubs of the instance that is named."""
    path = Path(written)
    if path.exists():
        return path
    folder = named_instance()
    if folder is None:
        raise InvalidInput(f"{written}: no such file", "for a version, name the instance: -i")
    # Only here: a file needs no instance.
    from changeover.cli.guide import listed_for  # noqa: PLC0415 - slow
    from changeover.instances.folder import load_instance  # noqa: PLC0415 - slow
    from changeover.sources.folder import release_called  # noqa: PLC0415 - slow

    return release_called(listed_for(load_instance(folder, given_here())), written).folder
