"""The pages of exit codes and events, and the one that lists the pages."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from changeover import errors
from changeover.actions.parameters import parameters_of
from changeover.model.events import EVENTS, Entry
from manual.markdown import page, table

CODES = """\
How every command ends. An error is one line, `where: what: why`, and below it what to do. What to
do in each case stands in [three in the morning](../three-in-the-morning.md#exit-codes)."""
EVENTS_INTRO = """\
The journal of a run is a list of these, one JSON object a line (`changeover audit export`); on
hosts it is the file `journal`. Everything a command shows of a run is computed from it. Each
entry is chained to the one before by its hash; `changeover audit verify` checks the chain."""
OTHERS = (
    (0, "done", ""),
    (130, "interrupted at a question, or by Ctrl-C before a run began", ""),
    (141, "whoever read the output has gone", ""),
)
PAGES = (
    ("release.md", "every key of `release.yaml`"),
    ("doctor.md", "every key of `doctor.yaml`"),
    ("instance.md", "every key of `instance.yaml`"),
    ("changeover.md", "every key of `changeover.yaml`, beside an Ansible inventory"),
    ("ansible.md", "every key of `ansible.yaml`, how a release reads Ansible environments"),
    ("actions.md", "what a step may use"),
    ("commands.md", "every command and its options"),
    ("exit-codes.md", "how commands end"),
    ("events.md", "what is in the journal"),
)


def codes_page() -> str:
    """Return the page of exit codes: a row for each kind of error."""
    rows = [(e.exit_code, _first(e), f"`{e.__name__}`") for e in every_error()] + list(OTHERS)
    shown = ((str(code), text, name) for code, text, name in sorted(rows, key=lambda row: row[0]))
    return page("Exit codes", CODES, [table(["code", "meaning", "raised as"], shown)])


def every_error() -> Iterator[type[errors.ChangeoverError]]:
    """Yield each kind of error, parents first."""
    waiting = [errors.ChangeoverError]
    while waiting:
        kind = waiting.pop(0)
        yield kind
        waiting += kind.__subclasses__()


def events_page() -> str:
    """Return the page of events."""
    return page(
        "Events", EVENTS_INTRO, [_event("Entry", Entry), *map(_event, EVENTS, EVENTS.values())]
    )


def index_page() -> str:
    """Return the page that lists the others."""
    intro = "Made from the code; `make check` says when it is out of date."
    lines = "\n".join(f"* [{name.removesuffix('.md')}]({name}): {text}" for name, text in PAGES)
    return page("Reference", intro, [lines])


def _event(name: str, kind: type[Any]) -> str:
    known = {p.name: p.text for p in parameters_of(kind)}
    rows = ((f"`{f.name}`", _kind(str(f.type)), known[f.name]) for f in dataclasses.fields(kind))
    return "\n\n".join([f"## {name}", _first(kind), table(["field", "type", "meaning"], rows)])


def _kind(written: str) -> str:
    words = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}
    return words.get(written, "mapping" if "Mapping" in written else f"`{written}`")


def _first(kind: type[Any]) -> str:
    return " ".join((kind.__doc__ or "").split())
