"""`changeover images load`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from changeover.cli.images.lines import short, size
from changeover.cli.images.registry import client_for, listed, lists_option, registry_options
from changeover.cli.options import output_option
from changeover.cli.output import emit
from changeover.errors import InvalidInput
from changeover.sources.oci.closure import Walker
from changeover.sources.oci.engine import Engine, Load
from changeover.sources.oci.fault import ImageFault
from changeover.sources.oci.layout import split
from changeover.sources.oci.patience import Budget
from changeover.sources.oci.places import Places
from changeover.sources.oci.reference import HUB, Reference, parse_reference


@click.command()
@click.argument("images", nargs=-1)
@lists_option("Load what a file names.")
@click.option("--engine", default="docker", show_default=True, help="docker, or podman.")
@click.option("--tag", default="", metavar="NAME:TAG", help="Call the image this in the engine.")
@click.option("--platform", default="", metavar="OS/ARCH", help="Instead of the engine's own.")
@output_option
@registry_options
def load(images: tuple[str, ...], lists: tuple[Path, ...], output: str, **given: Any) -> None:
    """Bring images to an engine that has no registry, from a registry, a layout or an archive.

    The image id is checked afterwards. The engine is reached as its own command line reaches it:
    contexts and DOCKER_HOST count. Engines before 25 keep no digest: refer to images by tag there
    (changeover images rewrite --tags).
    """
    references = [parse_reference(w) for w in images]
    references += listed(lists)
    if not references:
        raise InvalidInput("images load: nothing to load", "name an image, or --from LIST")
    engine = Engine(given["engine"])
    platform = given["platform"] or engine.platform()
    client, budget = client_for(given)
    with client:
        places = Places(client)
        expanded = places.expanded(references)
        if given["tag"] and len(expanded) != 1:
            raise InvalidInput("images load: one --tag for several images", "load them one by one")
        walker = Walker(platform, attached=False)
        rows = [_loaded(places, walker, engine, r, given["tag"], budget) for r in expanded]
    emit({"images": rows}, [_line(row) for row in rows], output)
    if any(row["status"] == "failed" for row in rows):
        click.get_current_context().exit(1)


def _loaded(
    places: Places, walker: Walker, engine: Engine, reference: Reference, tag: str, budget: Budget
) -> dict[str, Any]:
    row: dict[str, Any] = {"image": str(reference), "tag": tag or engine_tag(reference)}
    sent = [0]
    try:
        source = places.source(reference)
        name, wanted, expected = places.asked(reference)
        closure = walker.closure(source, name, wanted, "", expected)
        image = Load(source, name, closure, row["tag"])
        if engine.has(image):
            return {**row, "status": "unchanged", "id": engine.image_id(image.tag)}
        found = engine.load(image, budget, lambda n: sent.__setitem__(0, sent[0] + n))
    except ImageFault as fault:
        return {**row, "status": "failed", "error": fault.message, "remedy": fault.remedy}
    return {**row, "status": "loaded", "id": found, "bytes": sent[0]}


def engine_tag(reference: Reference) -> str:
    """Return what an image is called in an engine; Docker's own host is left out."""
    if reference.kind == "docker":
        host, name = reference.host, reference.name
        tag = reference.tag or "latest"
    else:
        full, tag = split(reference.tag)
        known = parse_reference(f"{full}:{tag}") if full and not tag.startswith("@") else None
        if known is None:
            raise InvalidInput(f"{reference}: has no name an engine could use", "give one: --tag")
        host, name, tag = known.host, known.name, known.tag
    return f"{name.removeprefix('library/')}:{tag}" if host == HUB else f"{host}/{name}:{tag}"


def _line(row: dict[str, Any]) -> str:
    if row["status"] == "failed":
        return f"failed     {row['image']}: {row['error']}\n             → {row['remedy']}"
    sent = f", {size(row['bytes'])}" if "bytes" in row else ""
    return f"{row['status']:<10} {row['image']} → {row['tag']}  {short(row['id'])}{sent}"
