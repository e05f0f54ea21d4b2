"""Settling conflicts: from remembered answers, then one key each on the terminal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import click

from changeover.cli.merge_lines import conflict_lines
from changeover.merge import Conflict, Merged
from changeover.merge.answers import (
    dump_answers,
    is_secret,
    load_answers,
    remember,
    remembered,
)
from changeover.merge.verdict import Answer

_KEYS = "o ours, t theirs, e edit, s skip, u undo, c context, q stop"


class Question(Protocol):
    """Something that can be merged again once answers are there."""

    @property
    def name(self) -> str:
        """Return the file's name, as answers are kept under."""

    @property
    def ours(self) -> bytes:
        """Return the local text."""

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
        answers |= ask_about(outcome.conflicts, job.ours)
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


def ask_about(conflicts: tuple[Conflict, ...], ours: bytes) -> dict[str, Answer]:
    """Ask about each conflict in turn; `u` goes back to the one before."""
    answers: dict[str, Answer] = {}
    number = 0
    while number < len(conflicts):
        conflict = conflicts[number]
        click.echo(f"\n[{number + 1}/{len(conflicts)}]", err=True)
        for line in conflict_lines(conflict, ["base", "ours", "theirs"]):
            click.echo(line, err=True)
        key = _key()
        if key == "q":
            break
        if key == "u":
            number = max(number - 1, 0)
            answers.pop(conflicts[number].path, None)
        elif key == "c":
            _show_context(conflict, ours)
        elif key == "s":
            number += 1
        else:
            answers[conflict.path] = _decision(key, conflict)
            number += 1
    return answers


def _key() -> str:
    click.echo(f"  {_KEYS}: ", nl=False, err=True)
    while True:
        key = click.getchar().lower()
        if key in "otesucq" and key:
            click.echo(key, err=True)
            return key


def _decision(key: str, conflict: Conflict) -> Answer:
    if key != "e":
        return Answer({"o": "ours", "t": "theirs"}[key])
    hidden = is_secret(conflict.path)
    return Answer("value", click.prompt("  value", hide_input=hidden, err=True, default=""))


def _show_context(conflict: Conflict, ours: bytes) -> None:
    line = conflict.ours.line if conflict.ours and conflict.ours.line else 1
    lines = ours.decode("utf-8", "replace").split("\n")
    first = max(line - 6, 0)
    for number, text in enumerate(lines[first : line + 5], first + 1):
        mark = ">" if number == line else " "
        click.echo(f"  {mark}{number:5} {text}", err=True)
