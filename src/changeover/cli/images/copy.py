"""`changeover images copy`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from changeover.cli.images.lines import result_lines, summary_line
from changeover.cli.images.progress import observer_for
from changeover.cli.images.registry import client_for, listed, lists_option, registry_options
from changeover.cli.options import output_option
from changeover.cli.output import emit
from changeover.errors import InvalidInput
from changeover.sources.oci.archive_target import LayoutArchive
from changeover.sources.oci.copier import Copier, Options
from changeover.sources.oci.medium import Target
from changeover.sources.oci.order import Order, Status, Summary
from changeover.sources.oci.places import Places
from changeover.sources.oci.reference import Reference, parse_place, parse_reference

INTERRUPTED = 130


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[SOURCE]... TARGET")
@lists_option("Copy what a file names: one reference a line, a Compose file, manifests, a release.")
@click.option(
    "--edition", default="", metavar="NAME", help="Of releases, only what this edition uses."
)
@click.option("--platform", default="", metavar="OS/ARCH", help="Of each index, only this image.")
@click.option("--deep", is_flag=True, help="Read and hash what is there; replace what is damaged.")
@click.option("--no-attached", is_flag=True, help="Leave signatures and attestations behind.")
@click.option("--dry-run", is_flag=True, help="Only show what would move.")
@output_option
@registry_options
def copy(words: tuple[str, ...], lists: tuple[Path, ...], output: str, **given: Any) -> None:
    """Copy images to a registry, a layout (oci:FOLDER) or one file (oci-archive:FILE).

    One image goes to the name and tag given. Several, or those of a list, keep their paths and
    tags under the target: docker://HOST[/PREFIX]. Run it again after a failure: it does only what
    is left.
    """
    references = [parse_reference(w) for w in words[:-1]]
    references += listed(lists, given["edition"])
    if not references:
        raise InvalidInput("images copy: nothing to copy", "name a SOURCE, or --from LIST")
    to = parse_place(words[-1])
    client, budget = client_for(given)
    options = Options(
        jobs=1 if to.kind == "oci-archive" else given["jobs"],
        platform=given["platform"],
        attached=not given["no_attached"],
        deep=given["deep"],
        dry_run=given["dry_run"],
        budget=budget,
    )
    with client:
        places = Places(client)
        images = places.expanded(references)
        many = bool(lists) or len(images) > 1 or not to.name or words[-1].endswith("/")
        orders = places.orders(images, to, many=many)
        summary = _copied(places, to, orders, options, output)
        notes = client.notes()
    _shown(summary, notes, output)


def _copied(
    places: Places, to: Reference, orders: list[Order], options: Options, output: str
) -> Summary:
    target: Target = places.target(to, dry=options.dry_run)
    with observer_for(output, len(orders)) as observer:
        try:
            summary = Copier(target, options, observer).run(orders)
            if isinstance(target, LayoutArchive) and not summary.failed and not options.dry_run:
                target.finish()
        finally:
            if isinstance(target, LayoutArchive):
                target.drop()
    return summary


def _shown(summary: Summary, notes: list[str], output: str) -> None:
    counts = {s.value: sum(i.status is s for i in summary.images) for s in Status}
    value = {
        "images": summary.images,
        "summary": {
            "images": len(summary.images),
            **counts,
            "bytes": summary.bytes,
            "seconds": round(summary.seconds, 3),
        },
        "notes": notes,
    }
    lines = [line for image in summary.failed for line in result_lines(image)]
    lines += [f"note: {n}" for n in notes] + [summary_line(summary)]
    emit(value, lines, output)
    if summary.failed:
        click.get_current_context().exit(INTERRUPTED if summary.stopped else 1)
