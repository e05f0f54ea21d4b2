"""The commands of this area, called as a shell would."""

from __future__ import annotations

import json
from typing import Any

import click
from click.testing import CliRunner, Result

from changeover.cli.images.group import group
from changeover.cli.release.bundle import commands

images = group
release = click.Group("release", commands=list(commands))


def call(group: click.Command, *words: str, env: dict[str, str] | None = None) -> Result:
    """Call a command; errors of the product arrive in `result.exception`."""
    environ = {"HOME": "/nonexistent", "XDG_STATE_HOME": "/nonexistent", **(env or {})}
    return CliRunner().invoke(group, list(words), env=environ)


def called(group: click.Command, *words: str) -> str:
    """Call a command that must work, and return what it printed."""
    result = call(group, *words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def data(group: click.Command, *words: str) -> Any:
    """Call a command that must work, and return its JSON."""
    return json.loads(called(group, *words, "-o", "json"))


def error(group: click.Command, *words: str) -> str:
    """Call a command that must be refused, and return what it said."""
    result = call(group, *words)
    assert result.exit_code != 0, result.output
    return f"{result.output}{result.exception}"
