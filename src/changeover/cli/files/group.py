"""The commands about configuration files on hosts."""

from __future__ import annotations

import click

from changeover.cli.lazy import LazyGroup

_HERE = "changeover.cli.files."
COMMANDS = {
    "status": (_HERE + "status:status", "Say how the files differ from the release's references."),
    "diff": (_HERE + "diff:diff", "Show settings that differ: base, here, new reference."),
    "merge": (_HERE + "merge:merge", "Merge files with their references and write them."),
    "resolve": (_HERE + "resolve:resolve", "Settle conflicts; the answers are remembered."),
    "pending": (
        _HERE + "pending:pending",
        "List or merge what package managers left beside files.",
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def files() -> None:
    """See, merge and settle configuration files on hosts, setting by setting."""
