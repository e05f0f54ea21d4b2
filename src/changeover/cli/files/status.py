"""`changeover files status`: how the files of hosts differ from the references of a release."""

from __future__ import annotations

from typing import Any

import click

from changeover.cli.files.opening import opened_files, release_files
from changeover.cli.files.states import state_of
from changeover.cli.output import emit
from changeover.views.files import status_lines


@click.command()
@release_files
def status(output: str, **given: Any) -> None:
    """Say per file: settings changed here, new in the reference, in conflict.

    FILE is what the release calls it, or its path. Exit code 0: nothing is to be decided; 1:
    something is, or a file cannot be read. What only a run can tell is not counted: a file whose
    step waits for something on its host is shown with what it waits for.
    """
    with opened_files(**given, awaited=True) as opened:
        found = [state_of(file) for file in opened.files]
        rows = [opened.place.masker.tree(state.row()) for state in found]
        emit(rows, map(opened.masked, status_lines(found)), output)
        if any(s.conflicts or s.problem for s in found if not s.awaits):
            raise click.exceptions.Exit(1)
