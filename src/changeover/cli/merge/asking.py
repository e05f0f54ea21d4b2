"""Settling conflicts: from remembered answers, then one key each on the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import click

from changeover.cli.keys import one_key
from changeover.cli.merge.lines import conflict_lines
from changeover.merge import Conflict, Merged
from changeover.merge.answers import (
    dump_answers,
    is_secret,
    load_answers,
    remember,
    remembered,
)
from changeover.merge.masking import masked_conflict, masked_lines
from changeover.merge.verdict import Answer, Side

_KEYS = "o ours, t theirs, e edit, s skip, u undo, c context, q stop"
_GUESS_KEYS = "y merge with the guess, n without a base, s skip, u undo, q stop"
_GUESSED = {"y": "accept", "n": "none"}


class Question(Protocol):
    """Something that can be merged again once answers are there."""

    @property
    def name(self) -> str:
        """Return the file's name, as answers are kept under."""

    @property
    def ours(self) -> bytes:
        """Return the local text."""

    @property
    def theirs(self) -> bytes:
        """Return the new reference."""

    def merged(self, answers: dict[str, Answer]) -> Merged:
        """Merge with the answers there are."""


def settle(job: Question, given: dict[str, Answer], memory: Path | None, *, ask: bool) -> Merged:
    """Answer what can be answered and merge again; new answers are written down."""
    answers = dict(given)
    open_before = job.merged({}).conflicts
    known: dict[str, dict[str, object]] = {}
    key = b""
    if memory is not None:
        known = load_answers(memory.read_text() if memory.exists() else "", str(memory))
        key = answer_key(memory)
        answers = {**remembered(known.get(job.name, {}), open_before, key), **answers}
    outcome = job.merged(answers)
    if ask and outcome.conflicts:
        answers |= ask_about(outcome.conflicts, Sight(job.ours, job.theirs))
        outcome = job.merged(answers)
    if memory is not None:
        _write_down(memory, known, job.name, [(c, answers.get(c.path)) for c in open_before], key)
    return outcome


def answer_key(memory: Path) -> bytes:
    """Return the key of the digests, kept beside the answers and out of git."""
    path = memory.with_suffix(".key")
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(os.urandom(32).hex().encode())
    return path.read_bytes().strip()


def _write_down(
    memory: Path,
    known: dict[str, dict[str, object]],
    name: str,
    settled: list[tuple[Conflict, Answer | None]],
    key: bytes,
) -> None:
    entries = dict(known.get(name, {}))
    for conflict, answer in settled:
        entry = remember(conflict, answer, key) if answer is not None else None
        if entry is not None:
            entries[conflict.path] = entry
    if entries and entries != known.get(name):
        memory.write_text(dump_answers({**known, name: entries}))


@dataclass(frozen=True)
class Sight:
    """What the person who is asked gets to see besides a conflict."""

    ours: bytes
    theirs: bytes
    labels: tuple[str, str, str] = ("base", "ours", "theirs")
    notes: Mapping[str, str] = field(default_factory=dict)
    """Path of a setting -> what its vendor says about it."""
    secrets: tuple[str, ...] | None = None
    """Settings to hide besides those whose names say so; None hides nothing."""


def ask_about(conflicts: tuple[Conflict, ...], sight: Sight) -> dict[str, Answer]:
    """Ask about each conflict in turn; `u` goes back to the one before.

    Raises `InvalidInput` where there is no terminal to ask on.
    """
    answers: dict[str, Answer] = {}
    number = 0
    while number < len(conflicts):
        conflict = conflicts[number]
        _show(conflict, sight, f"[{number + 1}/{len(conflicts)}]")
        is_guess = conflict.kind == "guessed"
        key = one_key(_GUESS_KEYS, "ynsuq") if is_guess else one_key(_KEYS, "otesucq")
        if key == "q":
            break
        if key == "u":
            number = max(number - 1, 0)
            answers.pop(conflicts[number].path, None)
        elif key == "c":
            _show_context(conflict, sight)
        elif key == "s":
            number += 1
        else:
            answers[conflict.path] = _decision(key, conflict)
            number += 1
    return answers


def _show(conflict: Conflict, sight: Sight, place: str) -> None:
    shown = conflict if sight.secrets is None else masked_conflict(conflict, sight.secrets)
    lines = conflict_lines(shown, sight.labels)
    note = "" if conflict.note else sight.notes.get(conflict.path)
    lines += [f"  note    {note}"] if note else []
    for line in ["", place, *lines]:
        click.echo(line, err=True)


def _decision(key: str, conflict: Conflict) -> Answer:
    if key in _GUESSED:
        return Answer("value", _GUESSED[key])
    if key != "e":
        return Answer({"o": "ours", "t": "theirs"}[key])
    hidden = is_secret(conflict.path)
    return Answer(
        "value",
        click.prompt("  value", hide_input=hidden, err=True, default="", show_default=False),
    )


def _show_context(conflict: Conflict, sight: Sight) -> None:
    """Show the lines around the conflict in both files, without secrets."""
    for label, side, content in (
        (sight.labels[1], conflict.ours, sight.ours),
        (sight.labels[2], conflict.theirs, sight.theirs),
    ):
        text = content.decode("utf-8", "replace")
        _show_lines(
            label, side, text if sight.secrets is None else masked_lines(text, sight.secrets)
        )


def _show_lines(label: str, side: Side | None, text: str) -> None:
    if side is None or not side.line:
        return
    lines = text.split("\n")
    first = max(side.line - 6, 0)
    click.echo(f"  {label}", err=True)
    for number, line in enumerate(lines[first : side.line + 5], first + 1):
        mark = ">" if number == side.line else " "
        click.echo(f"  {mark}{number:5} {line}", err=True)
