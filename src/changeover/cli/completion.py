"""Completion scripts for shells."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    For bash: changeover completion bash > ~/.local/share/bash-completion/completions/changeover
    """
    from changeover.cli.main import changeover  # noqa: PLC0415 - main lists this module

    kind = get_completion_class(shell)
    assert kind, shell  # noqa: S101 - click has all three
    click.echo(kind(changeover, {}, "changeover", "_CHANGEOVER_COMPLETE").source())
