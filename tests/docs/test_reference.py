"""Every action, command, setting, event and error is explained, and on its page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from changeover import errors
from changeover.actions.builtin import BUILT_IN, find, parameters_of
from changeover.cli.main import changeover
from changeover.instances.written import InstanceWritten
from changeover.model.events import EVENTS
from changeover.sources.schema import release_schema, schema_of

PAGES = Path(__file__).parents[2] / "docs/reference"


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def commands(
    group: click.Group = changeover, path: str = ""
) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        elif command and not command.hidden:
            yield f"changeover{path} {name}", command


def kinds(base: type[errors.ChangeoverError]) -> Iterator[type[errors.ChangeoverError]]:
    yield base
    for kind in base.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("use", BUILT_IN)
def test_an_action_is_explained_with_every_parameter(use: str) -> None:
    _, _, section = page("actions").partition(f"\n## {use}\n")
    section, _, _ = section.partition("\n## ")

    assert section.strip()
    assert [p.name for p in parameters_of(find(use)) if f"`{p.name}`" not in section] == []


@pytest.mark.parametrize(("name", "command"), [pytest.param(*c, id=c[0]) for c in commands()])
def test_a_command_is_explained_with_every_option(name: str, command: click.Command) -> None:
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    _, _, section = page("commands").partition(f"\n## {name}\n")
    section, _, _ = section.partition("\n## ")

    assert command.help
    assert section.strip()
    assert [o.name for o in options if not o.help] == []
    assert [o.name for o in options if f"`{o.opts[0]}`" not in section] == []


@pytest.mark.parametrize("file", ["release", "instance"])
def test_every_setting_is_explained(file: str) -> None:
    schema = release_schema() if file == "release" else schema_of(InstanceWritten, "instance")
    settings: list[tuple[str, dict[str, Any]]] = [
        (f"{where}.{key}", said)
        for where, definition in {file: schema, **schema["$defs"]}.items()
        for key, said in definition["properties"].items()
    ]

    # What both files share is explained on the page of releases.
    shown = page(file) + page("release")
    assert [name for name, said in settings if not said.get("description")] == []
    escaped = ((name, said["description"].replace("|", r"\|")) for name, said in settings)
    assert [name for name, text in escaped if text not in shown] == []


@pytest.mark.parametrize("kind", list(kinds(errors.ChangeoverError)))
def test_an_error_is_explained(kind: type[errors.ChangeoverError]) -> None:
    assert kind.__doc__
    assert f"| {kind.exit_code} | {kind.__doc__} | `{kind.__name__}` |" in page("exit-codes")


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_explained(event: str) -> None:
    assert f"## {event}\n" in page("events")
