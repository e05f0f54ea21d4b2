"""The group of commands about environments; each is imported when it is called."""

from __future__ import annotations

import click

from changeover.cli.lazy import LazyGroup

_HERE = "changeover.cli.env."

COMMANDS = {
    "list": (_HERE + "listing:list_", "List environments, and the version each runs now."),
    "add": (_HERE + "adding:add", "Write a new environment, and see that its resources are there."),
    "dismantle": (_HERE + "dismantling:dismantle", "Take an environment down for good."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def env() -> None:
    """List, add and dismantle environments."""
