"""Secrets where every user of a host could read them: in the words and settings of a command."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from changeover.model.problem import Problem
from changeover.sources.expansion import PlacedStep
from changeover.sources.yamltree import Place

EXPOSED = ("words", "env", "unless", "only_if", "undo_words")
"""Parameters that become arguments or environment of a process: `ps` shows them."""

SECRET = re.compile(r"\{[{%].*?\b(secrets|databases)\b", re.DOTALL)
"""A template that says a secret; a database's URL holds a password."""


def secret_problems(steps: Sequence[PlacedStep]) -> Iterator[Problem]:
    """Report templates that would put a secret into a command's words, waivable by name."""
    for placed in steps:
        for name in EXPOSED:
            for place, text in _strings(placed.step.with_.get(name), (*placed.place, "with", name)):
                if SECRET.search(text):
                    yield _problem(placed, name, place)


def _problem(placed: PlacedStep, name: str, place: Place) -> Problem:
    return Problem(
        f"step {placed.step.id}: `{name}` holds a secret, and every user of the host can see it",
        placed.tree.where(place),
        "hand it over in `stdin` or `script`, or in a file of mode 0600",
        name=f"exposed-secret:{placed.step.id}",
    )


def _strings(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*place, key))
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from _strings(item, (*place, position))
