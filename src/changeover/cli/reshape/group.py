"""`changeover reshape`: what to do when one file becomes several, or several become one."""

from __future__ import annotations

import click

from changeover.cli.lazy import LazyGroup

_HERE = "changeover.cli.reshape."
COMMANDS = {
    "split": (_HERE + "split:split", "Divide an edited file among several new references."),
    "join": (_HERE + "join:join", "Merge several edited files into one new reference."),
    "override": (_HERE + "override:override", "Reduce an edited file to its local differences."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def reshape() -> None:
    """Merge configuration files whose shape changed: divided, joined, or beside an override.

    Exit status: 0 clean, 1 conflicts (the local values are kept), 2 unreadable.
    """
