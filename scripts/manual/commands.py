"""The page of commands: every one with its arguments, options and help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from changeover.cli.main import changeover
from manual.markdown import anchor, page, paragraphs, table, value

INTRO = """\
`changeover [-i FOLDER] COMMAND`. The instance is the folder given by `-i`, before or after the
command, or by `CHANGEOVER_INSTANCE`, or the one you stand in. What is asked for goes to standard
output, everything else to standard error; `-o json` is for programs. `changeover COMMAND --help`
says the same as this page. How commands end: [exit codes](exit-codes.md)."""


def commands_page() -> str:
    """Return the page."""
    known = list(every_command())
    names = "\n".join(
        f"* [{name}]({anchor(name)}): {c.get_short_help_str(200)}" for name, c in known
    )
    return page("Commands", INTRO, [names, *(_section(name, command) for name, command in known)])


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Yield each command that does something, with its words."""
    yield from _below(changeover, "changeover")


def _below(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _below(command, f"{path} {name}")
        elif command and not command.hidden:
            yield f"{path} {name}", command


def _section(name: str, command: click.Command) -> str:
    words = " ".join(command.collect_usage_pieces(click.Context(command)))
    options = (p for p in command.params if isinstance(p, click.Option) and not p.hidden)
    parts = [
        f"## {name}",
        f"    {name} {words}",
        paragraphs(command.help),
        table(["option", "meaning", "default"], map(_row, options)),
    ]
    return "\n\n".join(part for part in parts if part)


def _row(option: click.Option) -> tuple[str, str, str]:
    words = ", ".join(f"`{word}`" for word in (*option.opts, *option.secondary_opts))
    takes = "" if option.is_flag or option.count else f" `{_metavar(option)}`"
    return words + takes, option.help or "", _default(option)


def _metavar(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(str(choice) for choice in option.type.choices)
    return option.metavar or option.type.name.upper()


def _default(option: click.Option) -> str:
    given: Any = option.default
    plain = isinstance(given, str | int | float) and not isinstance(given, bool)
    return value(given) if plain else ""
