"""Options that many commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def chosen_instance(given: str | None) -> Path:
    """Return the instance folder: the option, the one before the command, or where we stand."""
    return named_instance(given) or Path()


def named_instance(given: str | Path | None = None) -> Path | None:
    """Return the instance folder somebody named; none where that is left open."""
    context = click.get_current_context(silent=True)
    own = context.params.get("instance") if context else None
    outer = context.find_root().params.get("instance") if context else None
    named = Path(given or own or outer or os.environ.get("CHANGEOVER_INSTANCE") or ".")
    # Commands that need an instance fall back to where we stand, be it one or not.
    return named if named != Path() or (named / "instance.yaml").is_file() else None


def _instance_folder(_context: click.Context, _option: click.Parameter, value: str | None) -> Path:
    return chosen_instance(value)


instance_option = click.option(
    "-i",
    "--instance",
    "instance",
    metavar="FOLDER",
    callback=_instance_folder,
    help="The instance's folder [default: CHANGEOVER_INSTANCE, or the current one].",
)
"""Gives `instance: Path`."""

output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    show_default=True,
    help="The form of the output.",
)
"""Gives `output: str`."""


def _pairs(
    _context: click.Context, option: click.Parameter, values: Iterable[str]
) -> dict[str, str]:
    pairs = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{value}: write {option.metavar or 'NAME=VALUE'}")
        pairs[name.strip()] = text
    return pairs


set_option = click.option(
    "--set",
    "-e",
    "inputs",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_pairs,
    help="Answer an input of the release; may be given several times.",
)
"""Gives `inputs: dict[str, str]`."""

waive_option = click.option(
    "--waive",
    "waived",
    multiple=True,
    metavar="NAME=REASON",
    callback=_pairs,
    help="Go on in spite of a failed check; the reason is kept in the journal.",
)
"""Gives `waived: dict[str, str]`."""
