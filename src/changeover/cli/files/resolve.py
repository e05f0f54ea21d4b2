"""`changeover files resolve`: conflicts settled before the night of the upgrade, and remembered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import click

from changeover.actions.files_merge_answers import Open
from changeover.cli.conflicts import settle_open, somebody_is_there
from changeover.cli.files.opening import Opened, opened_files, release_files
from changeover.cli.merge.lines import conflict_lines
from changeover.cli.output import emit
from changeover.errors import NoRoute
from changeover.merge.masking import masked_conflict
from changeover.model.release import Release
from changeover.sources.configs import MERGE
from changeover.views.style import bad, good, strong


@click.command()
@release_files
def resolve(output: str, **given: Any) -> None:
    """Settle conflicts with one key each, or with --answer; no file is written.

    They are those that an upgrade meets on its way, release by release. Answers are remembered in
    the instance's answers.yaml: check, plan and apply do not ask again. Exit code 0: nothing is
    left to decide; 1: something is, or a file cannot be read.
    """
    with opened_files(**given) as opened:
        _meet(opened)
        seen: set[tuple[str, str, str]] = set()
        while output == "text" and somebody_is_there() and settle_open(opened.session, seen):
            _meet(opened)
        opened.session.binder.keep_answers()
        left = [one for one in opened.session.binder.open_conflicts() if _is_meant(opened, one)]
        rows = [opened.place.masker.tree(_row(one)) for one in left]
        unread = opened.session.binder.unread_files()
        emit(rows, map(opened.masked, _lines(left) if left or not unread else ()), output)
        for error in unread:
            said = f"{bad(error.message)}\n  → {error.remedy}"
            click.echo(opened.masked(said), err=True)
        if left or unread:
            raise click.exceptions.Exit(1)


def _meet(opened: Opened) -> None:
    """Have the merges of an upgrade note which conflicts nobody has settled."""
    session, request = opened.session, opened.request
    try:
        route = session.route(request)
    except NoRoute:
        route = []
    ids = tuple(dict.fromkeys(_merges(route)))
    if len(route) > 1 and ids:
        # What the second release meets depends on what the first one writes.
        session.planner([]).plan(route, replace(request, only=ids))
        return
    for file in opened.files:
        list(file.action.check(file.host))


def _merges(route: Sequence[Release]) -> Iterator[str]:
    return (step.id for release in route for step in release.steps if step.use == MERGE)


def _is_meant(opened: Opened, one: Open) -> bool:
    meant = {(file.host.name, file.action.label) for file in opened.files}
    return (one.host, one.file) in meant


def _row(one: Open) -> dict[str, Any]:
    shown = masked_conflict(one.conflict, one.secrets)
    sides = {name: getattr(shown, name) for name in ("base", "ours", "theirs")}
    return {
        "host": one.host, "file": one.file, "path": one.path, "setting": one.conflict.path,
        "kind": one.conflict.kind, "reason": one.conflict.reason, "note": one.note,
        **{name: side.text if side else None for name, side in sides.items()},
    }  # fmt: skip


def _lines(left: Sequence[Open]) -> Iterator[str]:
    if not left:
        yield good("nothing is left to decide")
    for one in left:
        yield strong(f"{one.host}:{one.path}")
        shown = masked_conflict(one.conflict, one.secrets)
        yield from (f"  {line}" for line in conflict_lines(shown, ["base", "ours", "theirs"]))
        if one.note:
            yield f"    note    {one.note}"
        yield f"    --answer '{one.file}:{one.conflict.path}=ours', `theirs`, or a value"
