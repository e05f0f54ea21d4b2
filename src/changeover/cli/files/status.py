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
    something is, or a file cannot be read.
    """
    with opened_files(**given) as opened:
        found = [state_of(file) for file in opened.files]
        rows = [opened.place.masker.tree(state.row()) for state in found]
        emit(rows, map(opened.masked, status_lines(found)), output)
        if any(state.conflicts or state.problem for state in found):
            raise click.exceptions.Exit(1)
