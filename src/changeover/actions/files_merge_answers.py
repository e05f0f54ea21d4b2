"""Conflicts of merges and their answers: given now, remembered, or still open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from changeover.bases.base import Base
from changeover.errors import ActionFailed, ChangeoverError, InvalidInput
from changeover.hosts.host import digest
from changeover.merge.answers import remember, remembered
from changeover.merge.verdict import Answer, Conflict, Side, parse_answer

BASE = "(base)"
"""The path under which a base that is only a guess is asked about."""
ACCEPT, NONE = "accept", "none"
"""The answers to that: merge with it, or without a base."""


def _no_key() -> bytes:
    return b""


@dataclass(frozen=True)
class Open:
    """A conflict nobody has settled."""

    file: str
    """What answers call the file: the name of its configuration, or its path."""
    host: str
    path: str
    conflict: Conflict
    note: str = ""
    """What the vendor says about the setting."""
    ours: bytes = b""
    theirs: bytes = b""
    secrets: tuple[str, ...] = ()


@dataclass
class Answers:
    """What was decided about conflicts; collects what is new, and what is open."""

    given: dict[str, Answer] = field(default_factory=dict)
    """`FILE:PATH` or `PATH` -> answer, from the command."""
    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """File -> path -> what is remembered of its answer, with digests of the question."""
    key: Callable[[], bytes] = _no_key
    """Returns the key of the digests; only asked for where there are conflicts."""
    fresh: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    open: dict[tuple[str, str, str], Open] = field(default_factory=dict)
    unread: dict[tuple[str, str], ChangeoverError] = field(default_factory=dict)
    """Host and path of files with a side that cannot be read, and why."""
    met: dict[str, None] = field(default_factory=dict)
    """Every conflict that was met, as `FILE:PATH`."""
    _used: set[str] = field(default_factory=set)

    def to(self, names: Sequence[str], conflicts: Sequence[Conflict]) -> dict[str, Answer]:
        """Return the answers there are to the conflicts of a file, which has several names."""
        if not conflicts:
            return {}
        found: dict[str, Answer] = {}
        for name in names:
            if name in self.known:
                found |= remembered(self.known[name], conflicts, self.key())
        for conflict in conflicts:
            self.met[f"{names[0]}:{conflict.path}"] = None
            said = self._given(names, conflict.path)
            if said is not None:
                found[conflict.path] = said
                self._remember(names[-1], conflict, said)
        return found

    def note(self, still_open: Open) -> None:
        """Remember that a conflict is open."""
        self.open[still_open.file, still_open.host, still_open.conflict.path] = still_open

    @contextmanager
    def counting(self, host: str, path: str) -> Iterator[None]:
        """Count a file whose merge fails among those that cannot be read."""
        self.unread.pop((host, path), None)
        try:
            yield
        except ActionFailed as error:
            self.unread[host, path] = error
            raise

    def _given(self, names: Sequence[str], path: str) -> Answer | None:
        for name in (*(f"{name}:{path}" for name in names), path):
            if name in self.given:
                self._used.add(name)
                return self.given[name]
        return None

    def _remember(self, file: str, conflict: Conflict, answer: Answer) -> None:
        entry = remember(conflict, answer, self.key())
        if entry:
            self.fresh.setdefault(file, {})[conflict.path] = entry

    def decide(self, more: Mapping[str, Answer]) -> None:
        """Take further answers; what is open is found anew."""
        self.given |= more
        self.open.clear()

    def refuse_unasked(self) -> None:
        """Raise `InvalidInput` for answers to conflicts there are not."""
        if self.unread:
            return  # what a file would ask is unknown; that it cannot be read is told elsewhere
        unasked = [name for name in self.given if name not in self._used]
        if unasked:
            asked = ", ".join(self.met) or "there is no conflict"
            raise InvalidInput(
                f"--answer {unasked[0]}: nothing asks that", f"answer one of: {asked}"
            )


@dataclass(frozen=True)
class References:
    """What releases shipped for a file, by a name for people (`shop 2.0.0`)."""

    texts: Mapping[str, bytes] = field(default_factory=dict)
    installed: str = ""
    """Which of them belongs to the installed release, if one does."""


@dataclass(frozen=True)
class Older:
    """A file of an older release that a new one is made from."""

    path: str
    references: References = field(default_factory=References)


@dataclass(frozen=True)
class Shared:
    """A file of the new release that is made from older ones, as its siblings see it."""

    label: str
    path: str
    theirs: bytes
    was: tuple[str, ...]
    """Paths of the older files."""
    format: str = ""
    identity: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What answers may call the file; they are remembered under the last."""
        return tuple(dict.fromkeys((self.label, self.path)))


def _as_paths(names: tuple[str, ...]) -> tuple[Older, ...]:
    return tuple(Older(name) for name in names)


@dataclass(frozen=True)
class Lore:
    """What is known of a file besides its host: told by the engine, not by the release."""

    references: Callable[[], References] = References
    """Only asked for where nothing was recorded."""
    answers: Answers = field(default_factory=Answers)
    older: Callable[[tuple[str, ...]], tuple[Older, ...]] = _as_paths
    """Finds the files that `was` names."""
    shared: Callable[[], tuple[Shared, ...]] = tuple
    """Returns all files of the release that are made from older ones, this one among them."""
    settled: bool = False
    """Whether the installed release had the file in this shape already."""


def answers_given(
    given: Mapping[str, str],
    known: Mapping[str, Mapping[str, Any]],
    key: Callable[[], bytes],
) -> Answers:
    """Return what is decided: `ours`, `theirs` or a value for each path, and what is remembered."""
    return Answers({path: parse_answer(said) for path, said in given.items()}, known, key)


def question_of(base: Base, of: str = "") -> Conflict:
    """Return the question whether a guessed base of a file is to be merged with."""
    said = f"{base.origin} ({digest(base.text)[:12]})"
    return Conflict(
        f"{BASE} {of}".strip(), "guessed", Side(said), None, None,
        f"nobody kept the reference this file was made from; answer `{ACCEPT}` to merge with the"
        f" guess, `{NONE}` to merge without a base",
    )  # fmt: skip


def lines_of(conflict: Conflict, note: str, hide: Callable[[str, str], str]) -> Iterator[str]:
    """Yield what a conflict is, line by line; `hide` masks the text at a path."""
    kinds = {
        "changed": "changed here and in the reference", "deleted-here": "deleted here, changed in"
        " the reference", "deleted-there": "changed here, deleted in the reference", "added":
        "added here and in the reference, differently", "required": "required, and has no value",
        "guessed": "the base is a guess", "homeless": "may belong to several files",
        "doubled": "two files said different things", "unsaid": "deleted here, which an override"
        " cannot say",
    }  # fmt: skip
    yield f"{conflict.path}: {kinds.get(conflict.kind, conflict.kind)}"
    for name in ("base", "ours", "theirs"):
        found: Side | None = getattr(conflict, name)
        if found is not None:
            line = f"  (line {found.line})" if found.line else ""
            yield f"  {name:<6} {hide(conflict.path, found.text)}{line}"
    if conflict.reason:
        yield f"  {conflict.reason}"
    if note:
        yield f"  the vendor says: {note}"
