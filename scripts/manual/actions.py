"""The page of actions: their docstrings and fields, and an example from their test cases."""

from __future__ import annotations

import dataclasses
import json
import tomllib
import typing
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from changeover.actions.base import Action
from changeover.actions.builtin import BUILT_IN, find, parameters_of
from changeover.actions.parameters import Parameter
from manual.markdown import anchor, page, paragraphs, table, value

CASES = Path(__file__).resolve().parents[2] / "tests" / "cases"
INTRO = """\
What a step may `use`. Parameters go under `with:`. Where an action has `content`, `template:
FILE` renders a file of the release with the instance's values, and `source: FILE` takes one as it
is.

Every action can be planned without touching the host, may be applied again after a crash unless
it says otherwise, and proves its work. Under *undo* stands how a run is taken back."""


def actions_page() -> str:
    """Return the page."""
    return page("Actions", INTRO, [_contents(), *map(_section, BUILT_IN)])


def _contents() -> str:
    families = groupby(BUILT_IN, key=lambda use: use.partition(".")[0])
    lines = (" · ".join(f"[{use}]({anchor(use)})" for use in uses) for _, uses in families)
    return "\n".join(f"* {line}" for line in lines)


def _section(use: str) -> str:
    action = find(use)
    rows = (_row(parameter) for parameter in parameters_of(action))
    parts = [
        f"## {use}",
        paragraphs(action.__doc__),
        table(["parameter", "type", "default", "meaning"], rows),
        *_records(action),
        "\n".join(f"* {line}" for line in _traits(action)),
        _example(use),
    ]
    return "\n\n".join(part for part in parts if part)


def _row(parameter: Parameter) -> tuple[str, ...]:
    default = "**required**" if parameter.required else _default(parameter.default)
    return f"`{parameter.name}`", parameter.shown, default, parameter.text


def _default(given: Any) -> str:
    if dataclasses.is_dataclass(given) and not isinstance(given, type):
        return ""
    return value(given) or "empty"


def _records(action: type[Action]) -> Iterator[str]:
    """Yield a table for each kind of record in the parameters."""
    seen: set[type] = set()
    for parameter in parameters_of(action):
        for record in (parameter.type, *typing.get_args(parameter.type)):
            if dataclasses.is_dataclass(record) and record not in seen:
                seen.add(record)
                rows = map(_row, parameters_of(record))
                yield table([f"in `{parameter.name}`", "type", "default", "meaning"], rows)


def _traits(action: type[Action]) -> Iterator[str]:
    yield f"undo: {_undo(action)}"
    if action.writes:
        yield f"writes what only a backup brings back: {', '.join(action.writes)} (`covered_by`)"
    if action.covers:
        yield f"backs up: {', '.join(action.covers)}"
    if not action.repeatable:
        yield "after a crash in its middle the operator is asked whether it happened"
    yield f"time limit: {action.limit:.0f} s, unless the step has a `timeout`"


def _undo(action: type[Action]) -> str:
    if action.refreshes:
        return "applied again, once everything is restored"
    if action.harmless:
        return "nothing to take back"
    if any(parameter.name == "undo_words" for parameter in parameters_of(action)):
        return "by `undo_words` or `undo_script`; without one the plan draws the line before it"
    # Its methods are what is asked for: a class is not an instance of the protocol.
    if all(hasattr(action, method) for method in ("plan_undo", "undo")):
        return "puts back what was there before"
    return "none of its own: the step says `undo: nothing`, or the plan draws the line before it"


def _example(use: str) -> str:
    found = (_params(file) for file in sorted((CASES / use).glob("*.toml")))
    good = sorted((p for p in found if p), key=lambda p: len(json.dumps(p)))
    if not good:
        return ""
    # Neither the barest nor the strangest case.
    shown = json.dumps(good[len(good) // 2], ensure_ascii=False)
    if len(shown) > 300:
        shown = json.dumps(good[0], ensure_ascii=False)
    return f"```yaml\nuse: {use}\nwith: {shown}\n```"


def _params(file: Path) -> dict[str, Any]:
    case = tomllib.loads(file.read_text(encoding="utf-8"))
    wrong = {"invalid", "refused", "error"} & set(case)
    return {} if wrong else case.get("params", {})
