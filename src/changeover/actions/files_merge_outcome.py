"""A merge in mind: the three texts found, merged with the answers there are, and what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from changeover.actions.back import effect_of
from changeover.actions.files_merge_answers import ACCEPT, Lore, References, question_of
from changeover.actions.files_merge_shown import Hide, diff_of, told
from changeover.actions.files_merge_sides import Side, coming, finished_base, side
from changeover.actions.files_merge_taken import NOTHING_TAKEN, Taken
from changeover.bases.base import Base
from changeover.bases.find import Known, find_base
from changeover.bases.record import recorded_base
from changeover.errors import ActionFailed
from changeover.hosts.host import FileState, Host, digest
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
    was: tuple[str, ...] = ()
    keeps_old: bool = False
    override: str = ""

    def respelled(self, text: bytes) -> bytes:
        """Return an older text with renamed tables called as the reference calls them."""
        told = {"format": self.format, "name": self.path}
        return respelled(text, self.theirs, self.renamed, **told) if self.renamed else text

    @property
    def names(self) -> tuple[str, ...]:
        """What answers may call the file; they are remembered under the last."""
        return tuple(dict.fromkeys((self.label, self.path, self.ours)))

    def merge(self, base: bytes | None, ours: bytes, answers: Mapping[str, Answer]) -> Merged:
        """Merge; raise `ActionFailed` where a side cannot be read, or an answer not be written."""
        with self.reading():
            if base is not None:
                base = self.respelled(base)
            merged = merge(
                base, self.respelled(ours), self.theirs, format=self.format, name=self.path,
                identity=self.identity, renamed=self.renamed, required=self.required,
                answers=answers,
            )  # fmt: skip
            return self.supplied(merged, answers)

    def supplied(self, merged: Merged, answers: Mapping[str, Answer]) -> Merged:
        """Write the settings that are required and were given; raises `Unreadable`."""
        text = merged.text
        for path in self.required:
            if path in answers and answers[path].choice == "value":
                text = with_setting(
                    text, path, answers[path].value, format=self.format, name=self.path
                )
        return replace(merged, text=text)

    @contextmanager
    def reading(self, of: str = "") -> Iterator[None]:
        """Tell host and file of what cannot be read, and the files it is made of."""
        try:
            yield
        except Unreadable as error:
            where = f"{self.host.name}: {self.path}" + (f", made of {of}" if of else "")
            raise ActionFailed(
                f"{where}: {error.message}",
                "`ours` is the file on the host, `theirs` the release's: mend the one it names.",
            ) from error


@dataclass(frozen=True)
class Also:
    """Another file that goes along with the one that is merged."""

    path: str
    """Behind every link."""
    state: FileState
    content: bytes | None
    """None where it goes away."""

    @property
    def due(self) -> bool:
        """Whether it is not as wanted."""
        return self.state.there if self.content is None else self.state.content != self.content


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
    also: tuple[Also, ...] = ()
    """Older files that go, and the vendor's file beside an override."""
    taken: Taken = NOTHING_TAKEN
    """Which older files it was made from, as it is recorded and as it has to be."""
    told: str = ""
    """What is done, where it is more than a merge of one file."""
    seen: Mapping[str, FileState] = field(default_factory=dict)
    """Other files it was decided from."""
    awaits: tuple[str, ...] = ()
    """Files that have to be made before this one is written: they are made from it."""

    @property
    def writes(self) -> bool:
        """Whether the file is to become another one."""
        return not self.is_silent and self.there.state.content != self.content

    @property
    def is_silent(self) -> bool:
        """Whether it is an override that has nothing to say, and is not to be."""
        return bool(self.task.override and not self.content and not self.there.state.there)

    @property
    def is_due(self) -> bool:
        """Whether anything is left to do."""
        others = any(one.due for one in self.also) or self.taken.due
        return self.writes or self.recorded != self.task.theirs or self.cut or others

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
        if self.told and self.is_due:
            return f"{self.told}{self._named()}{self._gone()}"
        if self.cut and not self.writes:
            return f"finish writing {path}"
        if not self.writes:
            return f"remember the reference of {path}" if self.is_due else f"{path} is as wanted"
        if self.mine.text is None:
            return f"create {path}"
        moved = "" if self.mine.path == self.there.path else f" with {self.task.ours}"
        return f"merge {path}{moved}{self._named()}"

    def _named(self) -> str:
        """Name the settings that arrive, and those that stay."""
        base = self.base.text if self.base else None
        compare = partial(
            differences, format=self.task.format, name=self.task.path,
            identity=self.task.identity, renamed=self.task.renamed,
        )  # fmt: skip
        if self.mine.text is None or self.task.override:
            return ""
        what = told(compare, base, self.mine.text, self.content, self.task.theirs)
        return f": {what}" if what else ""

    def _gone(self) -> str:
        gone = [one.path for one in self.also if one.content is None and one.due]
        return f"; {', '.join(gone)} goes" if gone else ""

    def diff(self, hide: Hide) -> str:
        """Return the difference to the file operators edit, secrets masked."""
        pairs = [(self.task.override or self.task.path, self.mine.text, self.content)]
        if self.task.override:
            pairs = [(self.task.override, self.there.text, self.content)]
        pairs = pairs if self.writes else []
        pairs += [(one.path, one.state.content, one.content) for one in self.also
                  if one.due and one.content is not None]  # fmt: skip
        return "".join(diff_of(path, old, new or b"", hide) for path, old, new in pairs)

    def facts(self) -> dict[str, str]:
        """Return what the merge was decided from."""
        base = digest(self.base.text)[:MARK] if self.base else "none"
        states = {self.mine.path: self.mine.state, self.there.path: self.there.state}
        states |= {one.path: one.state for one in self.also} | dict(self.seen)
        files = {f"file {path}": state.fact() for path, state in states.items()}
        return {**files, f"base of {self.mine.path}": base}

    def alters(self) -> tuple[str, ...]:
        """Return the facts that writing moves."""
        also = [one.path for one in self.also if one.due]
        files = [f"file {path}" for path in (self.there.path, *also)]
        bases = [f"base of {path}" for path in (self.there.path, *also)]
        return (*files, *bases)


def seen_on(task: Task) -> Outcome:
    """Look at the file that is written and at the one operators edit; nothing is merged yet."""
    mine, there = side(task.host, task.ours), side(task.host, task.override or task.path)
    record = recorded_base(task.host, there.path)
    return Outcome(
        task, mine, there, None, task.theirs,
        recorded=record.text if record else None,
        cut=coming(task.host, there.path) is not None,
    )  # fmt: skip


def outcome(task: Task) -> Outcome:
    """Find the three texts on a host and merge them, in mind."""
    found = seen_on(task)
    mine = found.mine
    if mine.text is None:
        # Nobody has edited what is not there: the reference as it is, and what it lacks is asked.
        return _settled(found, task.theirs, Base(task.theirs, "nothing is there yet"))
    if mine.text == task.theirs and not task.required:
        return replace(found, base=Base(task.theirs, "it is the new reference"))
    return _settled(found, mine.text, base_of(task, mine, task.lore.references))


def base_of(task: Task, mine: Side, references: Callable[[], References]) -> Base | None:
    """Return the reference a file of a host was made from, the surest there is."""
    done = finished_base(task.host, mine.path, mine.state)
    kept = done or recorded_base(task.host, mine.path)
    if kept is not None:
        return kept
    found = references()
    if found.installed not in found.texts and task.told_base:
        return Base(task.told_base, "what the release names as its base")
    known = Known(found.texts, found.installed, mine.text, task.theirs, task.format)
    return find_base(task.host, mine.path, known)


def accepted(
    task: Task, base: Base | None, of: str = ""
) -> tuple[Base | None, tuple[Conflict, ...]]:
    """Return a base that may be merged with, and the question that is open where it is a guess."""
    if base is None or base.sure:
        return base, ()
    question = question_of(base, of)
    said = task.lore.answers.to(task.names, [question]).get(question.path)
    if said is None:
        return base, (question,)
    return (base if said.value == ACCEPT else None), ()


def _settled(found: Outcome, ours: bytes, base: Base | None) -> Outcome:
    task = found.task
    answers = task.lore.answers
    base, asked = accepted(task, base)
    text = base.text if base else None
    merged = task.merge(text, ours, {})
    given = answers.to(task.names, merged.conflicts)
    if given:
        merged = task.merge(text, ours, given)
    left = (*asked, *merged.conflicts)
    return replace(found, base=base, content=merged.text, conflicts=left, notes=merged.notes)
