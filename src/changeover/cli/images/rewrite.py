"""`changeover images rewrite`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from changeover.cli.images.registry import client_for, registry_options
from changeover.cli.options import output_option
from changeover.cli.output import emit
from changeover.sources.oci.client import Client
from changeover.sources.oci.media import chosen_platform
from changeover.sources.oci.mention import mentions
from changeover.sources.oci.places import Places
from changeover.sources.oci.reference import Reference, parse_place
from changeover.sources.oci.rewrite import Edit, Renamed, apply_edits, edits, moved


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--to", "place", required=True, metavar="REGISTRY[/PREFIX]", help="The new place.")
@click.option("--tags", is_flag=True, help="Leave digests out: for engines that loaded the images.")
@click.option(
    "--platform",
    default="",
    metavar="OS/ARCH",
    help="The images were copied for this platform alone: use its own digests.",
)
@click.option("--dry-run", is_flag=True, help="Only show the changes.")
@output_option
@registry_options
def rewrite(
    files: tuple[Path, ...], place: str, tags: bool, dry_run: bool, output: str, **given: Any
) -> None:
    """Make Compose files, Kubernetes manifests and lists name their images at another registry.

    Files are changed in place and keep their layout; where a registry or an image stands in a
    variable of the `.env` file beside it, that is changed.
    """
    to = parse_place(place)
    found = [m for f in files for m in mentions(f, os.environ)]
    renamed = moved(to, tags=tags)
    if given["platform"] and not tags:
        client, _ = client_for(given)
        with client:
            changes = edits(found, _for_platform(renamed, client, given["platform"]))
    else:
        changes = edits(found, renamed)
    if not dry_run:
        apply_edits(changes)
    emit({"changes": [_row(e) for e in changes]}, _lines(changes, dry_run=dry_run), output)


def _for_platform(renamed: Renamed, client: Client, platform: str) -> Renamed:
    def chosen(old: Reference) -> tuple[Reference, str]:
        new, note = renamed(old)
        if not new.digest:
            return new, note
        source = Places(client).source(old)
        manifest = source.manifest(old.name, old.digest)
        if not manifest.is_index:
            return new, note
        child = chosen_platform(manifest.children, platform, str(old))
        said = f"the digest of {platform}'s own manifest"
        return replace(new, digest=child.digest), said

    return chosen


def _row(edit: Edit) -> dict[str, Any]:
    row = {"file": str(edit.file), "line": edit.line, "from": edit.old, "to": edit.new}
    return {**row, "note": edit.note} if edit.note else row


def _lines(changes: Sequence[Edit], *, dry_run: bool) -> list[str]:
    lines = []
    for edit in changes:
        lines.append(f"{edit.file}:{edit.line}: {edit.old} → {edit.new}")
        if edit.note:
            lines.append(f"  {edit.note}")
    verb = "would change" if dry_run else "changed"
    return [*lines, f"{len(changes)} place{'s' * (len(changes) != 1)} {verb}"]
