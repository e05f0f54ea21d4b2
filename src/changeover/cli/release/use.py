"""`changeover release use`: a release and its images, put where an instance needs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from changeover.cli.images.lines import result_lines, size
from changeover.cli.images.registry import client_for, registry_options
from changeover.cli.options import given_here, instance_option, output_option
from changeover.cli.output import emit
from changeover.cli.release.place import place_for
from changeover.cli.release.trust import trust_options, trusted_keys
from changeover.errors import ChangeoverError, InvalidInput
from changeover.instances.folder import load_instance
from changeover.sources.hub import Found, Hub, bring_in, find, parse_hub, released
from changeover.sources.oci.client import Client
from changeover.sources.oci.copier import Copier, Options
from changeover.sources.oci.media import REF_NAME
from changeover.sources.oci.order import Order, Summary
from changeover.sources.oci.places import Places, place_in_registry
from changeover.sources.oci.reference import Reference, parse_place, parse_reference
from changeover.sources.pictures import Pictures
from changeover.sources.shipped import tag_of
from changeover.sources.signature import PublicKey


@click.command()
@click.argument("product")
@click.argument("version")
@click.option("--source-dir", default="", metavar="DIR|FILE", help="A disk, instead of the hubs.")
@click.option("--hub", "hubs", multiple=True, metavar="HUB", help="Look here, in this order.")
@click.option("--images-to", default="", metavar="REGISTRY[/PREFIX]", help="Bring its images here.")
@output_option
@registry_options
@instance_option
@trust_options
def use(product: str, version: str, instance: Path, output: str, **given: Any) -> None:
    """Put a release where the instance's plans find it, verified, and its images in a registry.

    It is taken from --source-dir, or from the first --hub that has it (without one, from the hubs
    of the instance that are no folders), and unpacked into the instance's first hub folder.
    """
    trusted = trusted_keys(given["key"], unsigned=given["unsigned"])
    own = load_instance(instance, given_here())
    if not own.hub_folders:
        remedy = "add `hubs: [releases]` to instance.yaml"
        raise InvalidInput(f"{instance}: names no folder for releases", remedy)
    into = place_for(str(own.hub_folders[0]), "folder")
    client, budget = client_for({**given, "instance": instance})
    options = Options(jobs=given["jobs"], attached=False, budget=budget)
    with client:
        hubs = list(given["hubs"]) or own.far_hubs
        places = [given["source_dir"]] if given["source_dir"] else hubs
        found = _first(places, client, product, version, trusted)
        summary, folder = bring_in(found, into, client, options)
        copied = _images(found, into, client, given["images_to"], options)
    shown = copied.images if copied else ()
    moved = f"{size(summary.bytes)} moved"
    lines = [f"{product} {version} → {folder or into.shown}  {moved}"]
    lines += [line for image in shown for line in result_lines(image)]
    value = {"product": product, "version": version, "to": str(folder), "images": shown}
    emit(value, lines, output)
    if copied and copied.failed:
        click.get_current_context().exit(1)


def _first(
    places: list[str], client: Client, product: str, version: str, trusted: list[PublicKey] | None
) -> Found:
    """Return the release from the first hub that has it, whether its signature is good or not."""
    if not places:
        raise InvalidInput(
            "release use: from where?", "--source-dir DIR, --hub HUB, or a hub in instance.yaml"
        )
    unreachable = []
    for place in places:
        hub = parse_hub(place)
        try:
            there = (product, tag_of(version)) in released(hub, client, product)
        except ChangeoverError as fault:
            unreachable.append(fault.message)
            continue
        if there:
            return find(hub, client, product, version, trusted)
    why = "; ".join(unreachable) or "not there"
    raise InvalidInput(
        f"{product} {version}: in none of {', '.join(places)}: {why}",
        "changeover release list --available HUB lists what a hub has",
    )


def _images(found: Found, into: Hub, client: Client, to: str, options: Options) -> Summary | None:
    if not to or not found.shipment.images:
        return None
    place = parse_place(to)
    shelf = Pictures(into.shelf(client), found.shipment)
    name = into.name(found.shipment.product)
    orders = []
    for image in found.shipment.images:
        reference = parse_reference(image.annotations.get(REF_NAME, ""))
        target_name, tag = place_in_registry(_full(reference), reference.tag, place, many=True)
        shown = f"{place.host}/{target_name}:{tag or image.digest}"
        orders.append(Order(shelf, name, image.digest, target_name, tag, str(reference), shown))
    summary = Copier(Places(client).target(place), replace(options, attached=True)).run(orders)
    if summary.stopped:
        raise KeyboardInterrupt
    return summary


def _full(reference: Reference) -> str:
    return f"{reference.host}/{reference.name}"
