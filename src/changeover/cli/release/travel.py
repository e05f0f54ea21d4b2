"""`changeover release push | pull | export | import`: releases on their way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from changeover.cli.images.lines import size
from changeover.cli.images.registry import client_for, registry_options
from changeover.cli.options import output_option
from changeover.cli.output import emit
from changeover.cli.release.place import packed, place_for
from changeover.cli.release.trust import sign_option, trust_options, trusted_keys
from changeover.sources.hub import bring_in, carry, find, parse_hub
from changeover.sources.oci.copier import Options
from changeover.sources.oci.order import Summary


@click.command()
@click.argument("release", metavar="RELEASE|FILE|FOLDER")
@click.argument("hub", metavar="docker://HOST/REPO|oci:FOLDER")
@click.option("--with-images", is_flag=True, help="Of a release folder: take its images along.")
@click.option("--platform", default="", metavar="OS/ARCH", help="Of each image, only this one.")
@sign_option
@output_option
@registry_options
def push(release: str, hub: str, sign_with: tuple[Path, ...], output: str, **given: Any) -> None:
    """Bring a release folder, or a packed release, to a hub."""
    client, budget = client_for(given)
    with client:
        if (Path(release) / "release.yaml").is_file():
            found = packed(client, Path(release), sign_with, given)
        else:
            found = find(parse_hub(release), client, "", "", None)
        summary = carry(found, place_for(hub, "layout"), client, _options(given, budget))
    _shown(found.shipment.product, found.shipment.version, hub, summary, output)


@click.command()
@click.argument("release", metavar="docker://HOST/REPO:VERSION")
@click.option(
    "--to",
    "place",
    default="releases",
    show_default=True,
    metavar="FOLDER",
    help="The hub folder it goes into.",
)
@trust_options
@output_option
@registry_options
def pull(release: str, place: str, output: str, **given: Any) -> None:
    """Fetch a release from a registry into a hub folder, verified, and unpack it there."""
    trusted = trusted_keys(given["key"], unsigned=given["unsigned"])
    client, budget = client_for(given)
    with client:
        found = find(parse_hub(release), client, "", "", trusted)
        hub = place_for(place, "folder")
        summary, folder = bring_in(found, hub, client, _options(given, budget))
    where = str(folder or place)
    _shown(found.shipment.product, found.shipment.version, where, summary, output)


@click.command()
@click.argument("version", metavar="[PRODUCT:]VERSION")
@click.option(
    "--hub", default="releases", show_default=True, metavar="HUB", help="Where the release is."
)
@click.option("--dest", required=True, metavar="DIR", help="The folder to carry away.")
@click.option("--since", default="", metavar="VERSION", help="Leave out what this one has.")
@trust_options
@output_option
@registry_options
def export(version: str, hub: str, dest: str, since: str, output: str, **given: Any) -> None:
    """Write a release to a folder that is carried by hand; with --since, only what is new."""
    trusted = trusted_keys(given["key"], unsigned=given["unsigned"])
    product, _, wanted = version.rpartition(":")
    client, budget = client_for(given)
    with client:
        place = parse_hub(hub)
        found = find(place, client, product, wanted, trusted)
        product = found.shipment.product
        base = find(place, client, product, since, trusted) if since else None
        target = place_for(dest if ":" in dest else f"oci:{dest}", "layout")
        summary = carry(found, target, client, _options(given, budget), since=base)
    _shown(product, found.shipment.version, dest, summary, output)


@click.command("import")
@click.argument("folder", metavar="DIR|FILE")
@click.option(
    "--hub", default="releases", show_default=True, metavar="HUB", help="Where the release goes."
)
@click.option(
    "--release",
    "named_release",
    default="",
    metavar="PRODUCT:VERSION",
    help="Which one, where there are several.",
)
@trust_options
@output_option
@registry_options
def bring(folder: str, hub: str, named_release: str, output: str, **given: Any) -> None:
    """Bring a release that was carried here into a hub, verified; a hub folder gets it unpacked.

    What an export left out because of --since is taken from the hub.
    """
    trusted = trusted_keys(given["key"], unsigned=given["unsigned"])
    product, _, version = named_release.partition(":")
    client, budget = client_for(given)
    with client:
        found = find(parse_hub(folder), client, product, version, trusted)
        summary, where = bring_in(found, place_for(hub, "folder"), client, _options(given, budget))
    shown = str(where or hub)
    _shown(found.shipment.product, found.shipment.version, shown, summary, output)


def _options(given: dict[str, Any], budget: Any) -> Options:
    return Options(jobs=given["jobs"], attached=False, budget=budget)


def _shown(product: str, version: str, place: str, summary: Summary, output: str) -> None:
    value = {
        "product": product,
        "version": version,
        "to": place,
        "bytes": summary.bytes,
        "blobs": sum(i.sent for i in summary.images),
    }
    emit(value, [f"{product} {version} → {place}  {size(summary.bytes)} moved"], output)
