"""Options that many commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from changeover.instances.given import FORMS, NOTHING, Facts, Given

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


_EXTRA, _PASSWORD_FILES = "changeover.extra", "changeover.vault_password_files"


def given_words() -> Given | None:
    """Return what the command line says about an Ansible environment; none if it cannot say."""
    meta = click.get_current_context().meta
    if _EXTRA not in meta and not meta.get(_PASSWORD_FILES):
        return None
    return Given(meta.get(_EXTRA), meta.get(_PASSWORD_FILES, ()))


def given_here(*, incomplete: bool = False) -> Given:
    """Return what the command line says; `incomplete` where hosts are only to be reached."""
    # Its own facts: what one environment's host said is not another's.
    return replace(given_words() or NOTHING, incomplete=incomplete, facts=Facts())


def _vault_passwords(
    context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> None:
    context.meta[_PASSWORD_FILES] = (*context.meta.get(_PASSWORD_FILES, ()), *values)


def instance_option(command: F) -> F:
    """Give `instance: Path`, and `--vault-password-file` for Ansible environments."""
    return _folder_option(vault_option(command))


def named_passwords() -> tuple[str, ...]:
    """Return the words of `--vault-password-file`, in their order."""
    return tuple(click.get_current_context().meta.get(_PASSWORD_FILES, ()))


vault_option = click.option(
    "--vault-password-file",
    "--vault-id",
    multiple=True,
    metavar="[ID@]FILE",
    expose_value=False,
    callback=_vault_passwords,
    help="A file with a vault's password [where Ansible looks, else `vault-password` above].",
)
"""Tells `named_passwords`."""

_folder_option = click.option(
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


def _said(
    context: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    context.meta[_EXTRA] = values
    return _pairs(context, option, [v for v in values if v[:1] not in FORMS])


set_option = click.option(
    "--set",
    "-e",
    "inputs",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_said,
    help="Answer an input of the release, or set a variable of an Ansible environment; "
    "may be given several times.",
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


def _decisions(
    _context: click.Context, _option: click.Parameter, values: Iterable[str]
) -> dict[str, str]:
    return dict(map(_cut, values))


def _cut(text: str) -> tuple[str, str]:
    """Cut PATH=ANSWER; a path may hold the sign itself, inside quotes or before ours and theirs."""
    for side in ("ours", "theirs"):
        if text.endswith(f"={side}"):
            return text.removesuffix(f"={side}"), side
    quoted = False
    for place, sign in enumerate(text):
        quoted ^= sign == '"'
        if sign == "=" and not quoted and place:
            return text[:place], text[place + 1 :]
    raise click.BadParameter(f"{text}: write [FILE:]PATH=ours|theirs|VALUE")


decide_option = click.option(
    "--answer",
    "decided",
    multiple=True,
    metavar="[FILE:]PATH=ours|theirs|VALUE",
    callback=_decisions,
    help="Settle a conflict of a configuration file; remembered in answers.yaml.",
)
"""Gives `decided: dict[str, str]`."""
