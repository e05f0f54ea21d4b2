"""`changeover files resolve`: conflicts settled before the night of the upgrade, and remembered."""

from __future__ import annotations

from typing import Any

import click

from changeover.cli.conflicts import settle_open, somebody_is_there
from changeover.cli.files.opening import Opened, opened_files, release_files
from changeover.cli.files.states import state_of
from changeover.cli.output import emit
from changeover.views.files import status_lines


@click.command()
@release_files
def resolve(output: str, **given: Any) -> None:
    """Settle conflicts with one key each, or with --answer; no file is written.

    Answers are remembered in the instance's answers.yaml: check, plan and apply do not ask again.
    Exit code 0: nothing is left to decide; 1: something is.
    """
    with opened_files(**given) as opened:
        _note_open(opened)
        seen: set[tuple[str, str, str]] = set()
        while output == "text" and somebody_is_there() and settle_open(opened.session, seen):
            _note_open(opened)
        opened.session.binder.keep_answers()
        found = [state_of(file) for file in opened.files]
        rows = [opened.place.masker.tree(state.row()) for state in found]
        emit(rows, map(opened.masked, status_lines(found)), output)
        if any(state.conflicts or state.problem for state in found):
            raise click.exceptions.Exit(1)


def _note_open(opened: Opened) -> None:
    """Have every file say which of its conflicts nobody has settled."""
    opened.look_again()
    for file in opened.files:
        list(file.action.check(file.host))
