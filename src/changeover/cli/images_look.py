"""`changeover images list` and `diff`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from changeover.cli.images_lines import size
from changeover.cli.images_registry import client_for, registry_options
from changeover.cli.output import emit
from changeover.errors import ChangeoverError
from changeover.sources.oci.client import Client
from changeover.sources.oci.closure import Walker
from changeover.sources.oci.fault import ImageFault
from changeover.sources.oci.mention import Mention, mentions
from changeover.sources.oci.places import Places
from changeover.sources.oci.reference import Reference

_PATHS = click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
_OUTPUT = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    help="The form of the output.",
)


@dataclass(frozen=True)
class Listed:
    """An image that files name."""

    image: str
    digest: str
    where: tuple[str, ...]
    error: str = ""


@click.command("list")
@_PATHS
@click.option("--offline", is_flag=True, help="Do not ask registries for digests.")
@_OUTPUT
@registry_options
def list_images(files: tuple[Path, ...], offline: bool, output: str, **reach: Any) -> None:
    """List the images that releases, Compose files, manifests or lists name.

    Each is shown with the digest its tag has now.
    """
    found = by_reference([m for f in files for m in mentions(f, os.environ)])
    client, _ = client_for(reach)
    with client, ThreadPoolExecutor(reach["jobs"]) as threads:
        places = Places(client)
        rows = list(threads.map(lambda r: _listed(places, r, found[r], offline), found))
    lines = [f"{row.image}  {row.digest or row.error}" for row in rows]
    emit({"images": rows}, lines, output)
    if any(row.error for row in rows):
        click.get_current_context().exit(1)


@click.command()
@click.argument("old", type=click.Path(exists=True, path_type=Path))
@click.argument("new", type=click.Path(exists=True, path_type=Path))
@click.option("--platform", default="", metavar="OS/ARCH", help="Count this platform alone.")
@click.option("--offline", is_flag=True, help="Do not ask registries how much is to fetch.")
@_OUTPUT
@registry_options
def diff(old: Path, new: Path, platform: str, offline: bool, output: str, **reach: Any) -> None:
    """Compare the images of two versions: new, changed, gone, and the bytes to fetch."""
    before, after = _by_name(mentions(old, os.environ)), _by_name(mentions(new, os.environ))
    changes = _changes(before, after)
    client, _ = client_for(reach)
    fetched: dict[str, Any] = {}
    if not offline:
        with client:
            fetched = _to_fetch(client, before, after, platform, reach["jobs"])
    lines = [line for kind in ("new", "changed", "gone") for line in _kind_lines(kind, changes)]
    if fetched:
        lines.append(f"to fetch: {size(fetched['bytes'])} in {fetched['blobs']} blobs")
        lines += [f"unknown: {e}" for e in fetched["errors"]]
    emit({**changes, "fetch": fetched}, lines or ["no difference"], output)
    if fetched.get("errors"):
        click.get_current_context().exit(1)


def by_reference(found: Sequence[Mention]) -> dict[Reference, tuple[str, ...]]:
    """Return each image once, with the places that name it."""
    rows: dict[Reference, tuple[str, ...]] = {}
    for mention in found:
        place = f"{mention.file}:{mention.line}"
        rows[mention.reference] = (*rows.get(mention.reference, ()), place)
    return rows


def _listed(places: Places, reference: Reference, where: tuple[str, ...], offline: bool) -> Listed:
    if offline:
        return Listed(str(reference), reference.digest, where)
    try:
        source = places.source(reference)
        digest = source.manifest(reference.name, reference.tag or reference.wanted).digest
    except ImageFault as fault:
        return Listed(str(reference), "", where, fault.message)
    moved = reference.digest and digest != reference.digest
    error = f"the tag has {digest} now, not {reference.digest}" if moved else ""
    return Listed(str(reference), digest, where, error)


def _by_name(found: Sequence[Mention]) -> dict[str, set[Reference]]:
    rows: dict[str, set[Reference]] = {}
    for mention in found:
        reference = mention.reference
        name = f"{reference.host}/{reference.name}" if reference.host else str(reference)
        rows.setdefault(name, set()).add(reference)
    return rows


def _changes(
    before: dict[str, set[Reference]], after: dict[str, set[Reference]]
) -> dict[str, list[Any]]:
    return {
        "new": sorted(str(r) for n in after.keys() - before.keys() for r in after[n]),
        "changed": [
            {"from": sorted(map(str, before[n])), "to": sorted(map(str, after[n]))}
            for n in sorted(after.keys() & before.keys())
            if after[n] != before[n]
        ],
        "gone": sorted(str(r) for n in before.keys() - after.keys() for r in before[n]),
    }


def _kind_lines(kind: str, changes: dict[str, list[Any]]) -> list[str]:
    if kind != "changed":
        return [f"{kind:<8} {r}" for r in changes[kind]]
    return [f"changed  {', '.join(c['from'])} → {', '.join(c['to'])}" for c in changes[kind]]


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

    with ThreadPoolExecutor(jobs) as threads:
        had = list(threads.map(blobs, [r for refs in before.values() for r in refs]))
        need = list(threads.map(blobs, [r for refs in after.values() for r in refs]))
    known = {d for found in had if isinstance(found, dict) for d in found}
    wanted = {d: n for found in need if isinstance(found, dict) for d, n in found.items()}
    missing = {d: n for d, n in wanted.items() if d not in known}
    errors = sorted({found for found in had + need if isinstance(found, str)})
    return {"bytes": sum(missing.values()), "blobs": len(missing), "errors": errors}
