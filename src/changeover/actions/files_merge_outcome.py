"""A merge in mind: the three texts found, merged with the answers there are, and what is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from changeover.actions.back import effect_of
from changeover.actions.files_merge_answers import ACCEPT, BASE, Lore, question_of
from changeover.actions.files_merge_shown import Hide, diff_of, told
from changeover.actions.files_merge_sides import Side, coming, finished_base, side
from changeover.bases.base import Base
from changeover.bases.find import Known, find_base
from changeover.bases.record import recorded_base
from changeover.errors import ActionFailed
from changeover.hosts.host import Host, digest
from changeover.merge.engine import merge
from changeover.merge.given import with_setting
from changeover.merge.respelling import respelled
from changeover.merge.settings import differences
from changeover.merge.verdict import Answer, Conflict, Merged, Note, Unreadable
from changeover.model.plan import Effect

MARK = 16
"""Signs of a digest that facts are told by."""


@dataclass(frozen=True)
class Task:
    """All that a merge is made from."""

    host: Host
    path: str
    ours: str
    label: str
    theirs: bytes
    told_base: bytes
    format: str | None
    identity: Mapping[str, tuple[str, ...]]
    renamed: Mapping[str, str]
    required: tuple[str, ...]
    lore: Lore

    def _respelled(self, text: bytes) -> bytes:
        told = {"format": self.format, "name": self.path}
        return respelled(text, self.theirs, self.renamed, **told) if self.renamed else text

    @property
    def names(self) -> tuple[str, ...]:
        """What answers may call the file; they are remembered under the last."""
        return tuple(dict.fromkeys((self.label, self.path, self.ours)))

    def merge(self, base: bytes | None, ours: bytes, answers: Mapping[str, Answer]) -> Merged:
        """Merge; raise `ActionFailed` where a side cannot be read, or an answer not be written."""
        try:
            if base is not None:
                base = self._respelled(base)
            merged = merge(
                base, self._respelled(ours), self.theirs, format=self.format, name=self.path,
                identity=self.identity, renamed=self.renamed, required=self.required,
                answers=answers,
            )  # fmt: skip
            text = merged.text
            for path in self.required:
                if path in answers and answers[path].choice == "value":
                    text = with_setting(
                        text, path, answers[path].value, format=self.format, name=self.path
                    )
            return replace(merged, text=text)
        except Unreadable as error:
            where = f"{self.host.name}: {self.path}"
            raise ActionFailed(
                f"{where}: {error.message}",
                "`ours` is the file on the host, `theirs` the release's: mend the one it names.",
            ) from error


@dataclass(frozen=True)
class Outcome:
    """What a merge comes to on a host."""

    task: Task
    mine: Side
    """The file operators edit."""
    there: Side
    """The file that is written; often the same."""
    base: Base | None
    content: bytes
    conflicts: tuple[Conflict, ...] = ()
    notes: tuple[Note, ...] = ()
    recorded: bytes | None = None
    """The reference on record for the file that is written."""
    cut: bool = False
    """Whether a merge of the file was killed before its end."""

    @property
    def writes(self) -> bool:
        """Whether the file is to become another one."""
        return self.there.state.content != self.content

    @property
    def is_due(self) -> bool:
        """Whether anything is left to do."""
        return self.writes or self.recorded != self.task.theirs or self.cut

    @property
    def effect(self) -> Effect:
        """What happens to the file."""
        return effect_of(self.there.state, "file")

    @property
    def origin(self) -> str:
        """Where the base comes from."""
        return self.base.origin if self.base else "no base"

    def summary(self) -> str:
        """Say what is done, setting by setting."""
        path = self.task.path
        if self.cut and not self.writes:
            return f"finish writing {path}"
        if not self.writes:
            return f"remember the reference of {path}" if self.is_due else f"{path} is as wanted"
        if self.mine.text is None:
            return f"create {path}"
        base = self.base.text if self.base else None
        compare = partial(
            differences, format=self.task.format, name=path,
            identity=self.task.identity, renamed=self.task.renamed,
        )  # fmt: skip
        what = told(compare, base, self.mine.text, self.content, self.task.theirs)
        moved = "" if self.mine.path == self.there.path else f" with {self.task.ours}"
        return f"merge {path}{moved}" + (f": {what}" if what else "")

    def diff(self, hide: Hide) -> str:
        """Return the difference to the file operators edit, secrets masked."""
        return diff_of(self.task.path, self.mine.text, self.content, hide) if self.writes else ""

    def facts(self) -> dict[str, str]:
        """Return what the merge was decided from."""
        base = digest(self.base.text)[:MARK] if self.base else "none"
        states = {self.mine.path: self.mine.state, self.there.path: self.there.state}
        files = {f"file {path}": state.fact() for path, state in states.items()}
        return {**files, f"base of {self.mine.path}": base}

    def alters(self) -> tuple[str, ...]:
        """Return the facts that writing moves."""
        return f"file {self.there.path}", f"base of {self.there.path}"


def outcome(task: Task) -> Outcome:
    """Find the three texts on a host and merge them, in mind."""
    mine, there = side(task.host, task.ours), side(task.host, task.path)
    record = recorded_base(task.host, there.path)
    found = Outcome(
        task, mine, there, None, task.theirs,
        recorded=record.text if record else None,
        cut=coming(task.host, there.path) is not None,
    )  # fmt: skip
    if mine.text is None:
        # Nobody has edited what is not there: the reference as it is, and what it lacks is asked.
        return _settled(found, task.theirs, Base(task.theirs, "nothing is there yet"))
    if mine.text == task.theirs and not task.required:
        return replace(found, base=Base(task.theirs, "it is the new reference"))
    return _settled(found, mine.text, _base(task, mine))


def _base(task: Task, mine: Side) -> Base | None:
    done = finished_base(task.host, mine.path, mine.state)
    kept = done or recorded_base(task.host, mine.path)
    if kept is not None:
        return kept
    found = task.lore.references()
    if found.installed not in found.texts and task.told_base:
        return Base(task.told_base, "what the release names as its base")
    known = Known(found.texts, found.installed, mine.text, task.theirs, task.format)
    return find_base(task.host, mine.path, known)


def _settled(found: Outcome, ours: bytes, base: Base | None) -> Outcome:
    task, asked = found.task, []
    answers = task.lore.answers
    if base is not None and not base.sure:
        question = question_of(base)
        said = answers.to(task.names, [question]).get(BASE)
        asked = [] if said else [question]
        base = base if said is None or said.value == ACCEPT else None
    text = base.text if base else None
    merged = task.merge(text, ours, {})
    given = answers.to(task.names, merged.conflicts)
    if given:
        merged = task.merge(text, ours, given)
    left = (*asked, *merged.conflicts)
    return replace(found, base=base, content=merged.text, conflicts=left, notes=merged.notes)
