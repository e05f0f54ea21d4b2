"""`changeover images verify`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from changeover.cli.images.lines import short, size
from changeover.cli.images.registry import client_for, listed, lists_option, registry_options
from changeover.cli.options import output_option
from changeover.cli.output import emit
from changeover.errors import InvalidInput
from changeover.sources.oci.places import Places
from changeover.sources.oci.reference import parse_reference
from changeover.sources.oci.verify import Asked, Verdict, Verifier


@click.command()
@click.argument("images", nargs=-1)
@lists_option("Verify what a file names.")
@click.option("--deep", is_flag=True, help="Read and hash everything.")
@click.option("--platform", default="", metavar="OS/ARCH", help="Of each index, only this image.")
@output_option
@registry_options
def verify(
    images: tuple[str, ...],
    lists: tuple[Path, ...],
    deep: bool,
    platform: str,
    output: str,
    **reach: Any,
) -> None:
    """Look whether images are there, whole and of the right size; with --deep, sound.

    Signatures and attestations that belong to an image are looked at too.
    """
    references = [parse_reference(w) for w in images]
    references += listed(lists)
    if not references:
        raise InvalidInput("images verify: nothing to verify", "name an image, or --from LIST")
    client, budget = client_for(reach)
    with client:
        places = Places(client)
        asked = [_asked(places, str(r)) for r in places.expanded(references)]
        verifier = Verifier(deep=deep, jobs=reach["jobs"], platform=platform, budget=budget)
        verdicts = verifier.run(asked, lambda _: None)
    bad = [v for v in verdicts if not v.sound]
    lines = [line for v in verdicts for line in _lines(v)]
    lines.append(f"{len(verdicts) - len(bad)} of {len(verdicts)} images are sound")
    emit({"images": verdicts, "sound": not bad}, lines, output)
    if bad:
        click.get_current_context().exit(1)


def _asked(places: Places, written: str) -> Asked:
    reference = parse_reference(written)
    name, wanted, expected = places.asked(reference)
    return Asked(places.source(reference), name, wanted, written, expected)


def _lines(verdict: Verdict) -> Iterator[str]:
    if verdict.sound:
        what = f"{verdict.blobs} blobs, {size(verdict.bytes)}"
        yield f"sound      {verdict.image}  {short(verdict.digest)}  {what}"
        return
    # Without a digest not even its manifest was read: that is no proof of damage.
    what = "damaged " if verdict.digest else "not read"
    for fault in verdict.faults:
        yield f"{what}   {verdict.image}: {fault}"
    if verdict.remedy:
        yield f"             → {verdict.remedy}"
