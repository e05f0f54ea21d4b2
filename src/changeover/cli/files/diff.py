"""`changeover files diff`: the settings of files that differ, not their lines."""

from __future__ import annotations

from typing import Any

import click

from changeover.cli.files.opening import opened_files, release_files
from changeover.cli.files.states import state_of
from changeover.cli.output import emit
from changeover.views.files import diff_lines


@click.command()
@release_files
def diff(output: str, **given: Any) -> None:
    """Show settings that differ: path, base → here → new reference; secrets are masked.

    FILE is what the release calls it, or its path.
    """
    with opened_files(**given, awaited=True) as opened:
        found = [state_of(file) for file in opened.files]
        rows = [opened.place.masker.tree(state.row()) for state in found]
        emit(rows, map(opened.masked, diff_lines(found)), output)
