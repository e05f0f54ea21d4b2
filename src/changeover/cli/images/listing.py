"""`changeover images list`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from changeover.cli.images.place import edition_option, is_held, is_in_registry, mentioned
from changeover.cli.images.registry import client_for, registry_options
from changeover.cli.options import output_option
from changeover.cli.output import emit
from changeover.sources.oci.fault import ImageFault
from changeover.sources.oci.mention_text import Mention
from changeover.sources.oci.patience import Budget
from changeover.sources.oci.places import Places
from changeover.sources.oci.platform import listed_platforms, platforms_of
from changeover.sources.oci.pool import mapped
from changeover.sources.oci.reference import Reference, parse_reference


@dataclass(frozen=True)
class Listed:
    """An image that files name, or that a layout or archive holds."""

    image: str
    digest: str
    where: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """What releases call it, with the edition."""
    platforms: tuple[str, ...] = ()
    error: str = ""


@click.command("list")
@click.argument(
    "files", nargs=-1, required=True, metavar="RELEASE|FILE|oci:FOLDER|docker://IMAGE..."
)
@edition_option
@click.option("--offline", is_flag=True, help="Do not ask registries for digests.")
@output_option
@registry_options
def list_images(
    files: tuple[str, ...], edition: str, offline: bool, output: str, **reach: Any
) -> None:
    """List the images that releases, Compose files, manifests or lists name.

    Each is shown with the digest its tag has now. A release is a folder, or a version of the
    instance's hubs (-i). Of a layout or an archive (oci:FOLDER, oci-archive:FILE,
    docker-archive:FILE), what it holds is listed, with platforms; of docker://HOST/NAME:TAG, that
    image.
    """
    held = [parse_reference(file) for file in files if is_held(file)]
    found: dict[Reference, list[Mention]] = {}
    for file in filter(is_in_registry, files):
        found.setdefault(parse_reference(file), [])
    elsewhere = [f for f in files if not is_held(f) and not is_in_registry(f)]
    for mention in mentioned(elsewhere, edition):
        found.setdefault(mention.reference, []).append(mention)
    client, budget = client_for(reach)
    with client:
        places = Places(client)
        look = partial(_listed, places, found, offline=offline)
        rows = mapped(look, found, reach["jobs"], budget.stop)
        rows += [_held(places, one, budget) for place in held for one in places.held(place)]
    emit({"images": rows}, _lines(rows), output)
    if any(row.error for row in rows):
        click.get_current_context().exit(1)


def _lines(rows: Sequence[Listed]) -> list[str]:
    return [_line(row) for row in rows] or ["no image is there"]


def _line(row: Listed) -> str:
    # Whoever lists files wants to know which images; of a layout, also what is in it.
    platforms = () if row.where else row.platforms
    known = (row.image, row.error or row.digest, ", ".join(row.names), ", ".join(platforms))
    return "  ".join(filter(None, known))


def _listed(
    places: Places, found: Mapping[Reference, list[Mention]], reference: Reference, *, offline: bool
) -> Listed:
    where = tuple(f"{m.file}:{m.line}" for m in found[reference])
    names = tuple(dict.fromkeys(m.label for m in found[reference] if m.label))
    if offline:
        return Listed(str(reference), reference.digest, where, names)
    try:
        source = places.source(reference)
        manifest = source.manifest(reference.name, reference.tag or reference.wanted)
    except ImageFault as fault:
        return Listed(str(reference), "", where, names, error=fault.message)
    digest, platforms = manifest.digest, listed_platforms(manifest)
    moved = reference.digest and digest != reference.digest
    error = f"the tag has {digest} now, not {reference.digest}" if moved else ""
    return Listed(str(reference), digest, where, names, platforms, error)


def _held(places: Places, reference: Reference, budget: Budget) -> Listed:
    name, wanted, _ = places.asked(reference)
    source = places.source(reference)
    try:
        manifest = source.manifest(name, wanted)
        platforms = platforms_of(source, name, manifest, budget)
    except ImageFault as fault:
        return Listed(str(reference), "", error=fault.message)
    return Listed(str(reference), manifest.digest, platforms=platforms)
