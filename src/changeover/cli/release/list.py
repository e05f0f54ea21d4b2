"""`changeover release list`: the releases of hubs, ready to be planned or to be fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from changeover.cli.guide import listed_for
from changeover.cli.images.registry import client_for, registry_options
from changeover.cli.options import given_here, instance_option, output_option
from changeover.cli.output import emit
from changeover.errors import ChangeoverError, InvalidInput
from changeover.instances.folder import load_instance
from changeover.sources.folder import Listed, hub_releases
from changeover.sources.hub import parse_hub, released
from changeover.sources.versions import version_key
from changeover.views.release import release_rows


@click.command("list")
@click.argument("hubs", nargs=-1, metavar="[HUB]...")
@click.option("--available", is_flag=True, help="Those that could be fetched: packed, in any hub.")
@click.option("--product", default="", help="Of this product alone.")
@click.option("--language", metavar="CODE", default="en", help="Such as fr.")
@output_option
@registry_options
@instance_option
def list_(
    hubs: tuple[str, ...], available: bool, product: str, language: str, output: str, **given: Any
) -> None:
    """List the releases of hub folders, or of the instance's.

    With --available, the packed releases of hubs of every kind: docker://HOST/REPOSITORY,
    oci:FOLDER, a file or a folder. What an earlier hub has is not listed again.
    """
    if available:
        _show_available(hubs, product, output, given)
        return
    found = [r for h in hubs for r in hub_releases(Path(h), product)]
    if not hubs:
        every = listed_for(load_instance(given["instance"], given_here()))
        found = [r for r in every if product in ("", r.product)]
    emit([_row(r, language) for r in found], release_rows(found, language), output)


def _row(release: Listed, language: str) -> dict[str, Any]:
    return {
        "product": release.product,
        "version": release.version,
        "from": release.origins,
        "impact": release.impact,
        "title": release.title.to(language),
        "withdrawn": release.withdrawn.to(language),
        "folder": str(release.folder),
    }


def _show_available(
    hubs: tuple[str, ...], product: str, output: str, given: dict[str, Any]
) -> None:
    places = list(hubs)
    if not places:
        own = load_instance(given["instance"], given_here())
        places, product = [*own.far_hubs, *map(str, own.hub_folders)], product or own.product
    seen: dict[tuple[str, str], str] = {}
    faults: list[ChangeoverError] = []
    client, _ = client_for(given)
    with client:
        for hub in places:
            try:
                for pair in released(parse_hub(hub), client, product):
                    seen.setdefault(pair, hub)
            except ChangeoverError as fault:
                faults.append(fault)
    rows = [{"product": p, "version": v, "hub": seen[p, v]} for p, v in sorted(seen, key=_order)]
    lines = [f"{r['product']} {r['version']}  {r['hub']}" for r in rows] or ["none"]
    lines += [f"unknown: {f.message}\n  → {f.remedy}" for f in faults]
    emit({"releases": rows, "errors": [f.message for f in faults]}, lines, output)
    if faults:
        click.get_current_context().exit(1)


def _order(pair: tuple[str, str]) -> tuple[Any, ...]:
    product, version = pair
    try:
        return (product, 0, version_key(version.replace("_", "+")))
    except InvalidInput:
        return (product, 1, version)
