"""`changeover images diff`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from changeover.cli.images.lines import size
from changeover.cli.images.place import edition_option, mentioned
from changeover.cli.images.registry import client_for, registry_options
from changeover.cli.options import output_option
from changeover.cli.output import emit
from changeover.errors import ChangeoverError, InvalidInput
from changeover.sources.oci.client import Client
from changeover.sources.oci.closure import Walker
from changeover.sources.oci.mention_text import Mention
from changeover.sources.oci.places import Places
from changeover.sources.oci.pool import mapped
from changeover.sources.oci.reference import Reference


@click.command()
@click.argument("old", metavar="RELEASE|FILE")
@click.argument("new", metavar="RELEASE|FILE")
@edition_option
@click.option("--platform", default="", metavar="OS/ARCH", help="Count this platform alone.")
@click.option("--offline", is_flag=True, help="Do not ask registries how much is to fetch.")
@output_option
@registry_options
def diff(
    old: str, new: str, edition: str, platform: str, offline: bool, output: str, **reach: Any
) -> None:
    """Compare the images of two versions: new, changed, gone, and the bytes to fetch.

    Releases are compared name by name and edition by edition. A release is a folder, or a version
    of the instance's hubs (-i).
    """
    before, after = _by_label(mentioned([old], edition)), _by_label(mentioned([new], edition))
    if not (before or after):
        raise InvalidInput(
            f"images diff: neither {old} nor {new} names an image{_for_edition(edition)}",
            "name releases that have `images:`, Compose files, manifests or lists",
        )
    changes = _changes(before, after)
    client, _ = client_for(reach)
    fetched: dict[str, Any] = {}
    if not offline:
        with client:
            fetched = _to_fetch(client, before, after, platform, reach["jobs"])
    lines = [_change_line(kind, row) for kind, rows in changes.items() for row in rows]
    if fetched:
        lines.append(f"to fetch: {size(fetched['bytes'])} in {fetched['blobs']} blobs")
        lines += [f"unknown: {e}" for e in fetched["errors"]]
    emit({**changes, "fetch": fetched}, lines or ["no difference"], output)
    if fetched.get("errors"):
        click.get_current_context().exit(1)


def _for_edition(edition: str) -> str:
    return f" for edition {edition}" if edition else ""


def _by_label(found: Sequence[Mention]) -> dict[str, set[Reference]]:
    """Return images by what a release calls them, others by their repository."""
    rows: dict[str, set[Reference]] = {}
    for mention in found:
        reference = mention.reference
        name = f"{reference.host}/{reference.name}" if reference.host else str(reference)
        rows.setdefault(mention.label or name, set()).add(reference)
    return rows


def _changes(
    before: dict[str, set[Reference]], after: dict[str, set[Reference]]
) -> dict[str, list[dict[str, Any]]]:
    def row(name: str) -> dict[str, Any]:
        had, need = before.get(name, set()), after.get(name, set())
        return {"image": name, "from": sorted(map(str, had)), "to": sorted(map(str, need))}

    both = before.keys() & after.keys()
    return {
        "new": [row(n) for n in sorted(after.keys() - before.keys())],
        "changed": [row(n) for n in sorted(both) if before[n] != after[n]],
        "gone": [row(n) for n in sorted(before.keys() - after.keys())],
    }


def _change_line(kind: str, row: dict[str, Any]) -> str:
    sides = [", ".join(side) for side in (row["from"], row["to"]) if side]
    known = all(s.startswith(row["image"]) for s in (*row["from"], *row["to"]))
    name = "" if known else f"{row['image']}  "
    return f"{kind:<8} {name}{' → '.join(sides)}"


def _to_fetch(
    client: Client,
    before: dict[str, set[Reference]],
    after: dict[str, set[Reference]],
    platform: str,
    jobs: int,
) -> dict[str, Any]:
    places, walker = Places(client), Walker(platform)

    def blobs(reference: Reference) -> dict[str, int] | str:
        try:
            found = walker.closure(
                places.source(reference), reference.name, reference.wanted, "", ""
            )
        except ChangeoverError as fault:
            return fault.message
        return {d: b.size for d, b in found.blobs.items()}

    old, new = ([r for refs in side.values() for r in refs] for side in (before, after))
    found = mapped(blobs, [*old, *new], jobs, client.settings.budget.stop)
    had, need = found[: len(old)], found[len(old) :]
    known = {d for found in had if isinstance(found, dict) for d in found}
    wanted = {d: n for found in need if isinstance(found, dict) for d, n in found.items()}
    missing = {d: n for d, n in wanted.items() if d not in known}
    errors = sorted({found for found in had + need if isinstance(found, str)})
    return {"bytes": sum(missing.values()), "blobs": len(missing), "errors": errors}
