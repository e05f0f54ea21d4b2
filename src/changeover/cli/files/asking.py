"""Answers to the conflicts of files: given with the command, remembered, or asked for now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from changeover.bases.job import FileJob
from changeover.cli.merge.asking import Sight, ask_about
from changeover.errors import ChangeoverError, InvalidInput
from changeover.instances.decisions import decision_key, keep_decisions, load_decisions
from changeover.merge import Answer, Conflict, Merged
from changeover.merge.answers import remember, remembered
from changeover.merge.settings import Setting
from changeover.merge.verdict import parse_answer, split_path


@dataclass
class Memory:
    """What was decided in an instance; without one nothing is remembered."""

    folder: Path | None = None
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.folder is not None:
            self._known = load_decisions(self.folder)

    def recalled(self, name: str, conflicts: tuple[Conflict, ...]) -> dict[str, Answer]:
        """Return the answers that were given to exactly these questions."""
        if self.folder is None or not conflicts or name not in self._known:
            return {}
        return remembered(self._known[name], conflicts, decision_key(self.folder))

    def keep(
        self, name: str, conflicts: tuple[Conflict, ...], answers: Mapping[str, Answer]
    ) -> int:
        """Write answers down; values of what may be a secret are not. Return how many were."""
        if self.folder is None or not answers:
            return 0
        key = decision_key(self.folder)
        entries = {
            c.path: entry
            for c in conflicts
            if c.path in answers and (entry := remember(c, answers[c.path], key))
        }
        keep_decisions(self.folder, {name: entries})
        return len(entries)


@dataclass
class Judge:
    """Settles the conflicts of files with what the command was given, and remembers that."""

    given: Mapping[str, Answer]
    """`PATH` or `FILE:PATH` -> answer."""
    memory: Memory
    ask: bool = False
    used: set[str] = field(default_factory=set)
    shows: str = "changeover files diff"
    """The command that tells what is in conflict."""

    def settle(self, job: FileJob) -> Merged:
        """Merge a file with the answers there are; raises `Unreadable`."""
        conflicts = job.merged().conflicts
        if not conflicts:
            return job.merged()
        fresh = self._given(job, conflicts)
        answers = {**self.memory.recalled(job.name, conflicts), **fresh}
        outcome = job.merged(answers)
        if self.ask and outcome.conflicts:
            click.echo(f"{job.shown}", err=True)
            fresh |= ask_about(outcome.conflicts, sight_of(job))
            outcome = job.merged({**answers, **fresh})
        self.memory.keep(job.name, conflicts, fresh)
        return outcome

    def refuse_unused(self, jobs: Iterable[FileJob]) -> None:
        """Raise `InvalidInput` for answers to what none of these merges asks."""
        if not self.given:
            return
        for job in jobs:
            with suppress(ChangeoverError):
                self._given(job, job.merged().conflicts)
        unused = sorted(self.given.keys() - self.used)
        if unused:
            said = f"--answer {unused[0]}: no file has such a conflict"
            raise InvalidInput(said, f"{self.shows} shows what is in conflict")

    def _given(self, job: FileJob, conflicts: tuple[Conflict, ...]) -> dict[str, Answer]:
        found = {}
        for conflict in conflicts:
            for name in (f"{job.name}:{conflict.path}", conflict.path):
                if name in self.given:
                    found[conflict.path] = self.given[name]
                    self.used.add(name)
                    break
        return found


def settled(settings: tuple[Setting, ...], conflicts: tuple[str, ...]) -> tuple[Setting, ...]:
    """Mark the settings that were in conflict and are not any more."""
    still = [split_path(path) for path in conflicts]

    def marked(setting: Setting) -> Setting:
        path = split_path(setting.path)
        sizes = ((other, min(len(path), len(other))) for other in still)
        is_open = "(file)" in conflicts or any(path[:n] == other[:n] for other, n in sizes)
        return setting if is_open else replace(setting, state="settled")

    return tuple(marked(s) if s.state == "conflict" else s for s in settings)


def sight_of(job: FileJob) -> Sight:
    """Return what somebody who is asked about a file gets to see."""
    return Sight(job.ours, job.theirs, job.labels, job.hints.notes, job.hints.secrets)


def parsed_answers(texts: tuple[str, ...]) -> dict[str, Answer]:
    """Read `PATH=ours|theirs|VALUE`; a word that holds a sign is quoted."""
    return {path: parse_answer(value) for path, value in map(_cut, texts)}


def _cut(text: str) -> tuple[str, str]:
    quoted = False
    for place, sign in enumerate(text):
        quoted ^= sign == '"'
        if sign == "=" and not quoted and place:
            return text[:place], text[place + 1 :]
    raise InvalidInput(f"--answer {text}: has to be PATH=ours|theirs|VALUE", "see --help")


answer_option = click.option(
    "--answer",
    "answers",
    multiple=True,
    metavar="PATH=ours|theirs|VALUE",
    callback=lambda _context, _option, texts: parsed_answers(texts),
    help="Settle a conflict (FILE:PATH where several files have it); may be repeated.",
)
"""Gives `answers: dict[str, Answer]`."""
