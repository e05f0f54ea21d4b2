"""The files of an older shape that are still on a host, and which of them may go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from changeover.actions.files_merge_answers import Older, Shared
from changeover.actions.files_merge_outcome import Also, Task
from changeover.actions.files_merge_sides import Side, coming, real_path, side
from changeover.actions.files_merge_taken import NOTHING_TAKEN, Taken, shape_of, taken, taken_path
from changeover.bases.record import recorded_base
from changeover.errors import ActionFailed


@dataclass(frozen=True)
class Source:
    """A file of the older shape that nothing was made from yet."""

    older: Older
    side: Side


@dataclass(frozen=True)
class Due:
    """What is to be done with the older files of one new file."""

    sources: tuple[Source, ...] = ()
    """What the file is made from; none where it is in its shape already."""
    also: tuple[Also, ...] = ()
    """Those that go once it is there."""
    taken: Taken = NOTHING_TAKEN
    awaits: tuple[str, ...] = ()
    """Files that have to be made before: they are made from what stands here."""
    sharing: frozenset[str] = frozenset()
    """The other new files that take a share of the older ones."""


def due_of(task: Task, there: Side, *, fresh: bool = False) -> Due:
    """Look for the older files; raise `ActionFailed` where both an old and a new file count.

    `fresh` says that the new file is none that operators edited before.
    """
    if not task.was or task.lore.settled or _is_finished(task, there):
        return Due()
    olds = task.lore.older(task.was)
    shape = _shape(task, olds)
    known = taken(task.host, there.path, shape)
    seen = [Source(older, side(task.host, older.path)) for older in olds]
    seen = [one for one in seen if one.side.text is not None]
    due = [one for one in seen if one.older.path not in known]
    # What is joined to a file that stays is joined to all that operators made of it since.
    found = tuple(o for o in seen if o in due or (due and o.side.path == there.path))
    sharing = {other.label: other for other in _siblings(task) if _takes(task, other, shape)}
    look = _Look(task, there, found, shape, sharing)
    needed, written = look.is_needed(fresh=fresh), look.is_written
    may_go = (one for one in found if (needed or written) and look.may_go(one))
    also = tuple(Also(one.side.path, one.side.state, None) for one in may_go)
    now = frozenset(one.older.path for one in found) if needed or written else frozenset()
    sources, awaits = (found, look.awaits()) if needed else ((), ())
    return Due(sources, also, Taken(shape, known, now), awaits, frozenset(sharing))


def _is_finished(task: Task, there: Side) -> bool:
    """Say whether this release made the file already: a run that goes on needs no other release."""
    host, path = task.host, there.path
    record = recorded_base(host, path)
    made = record is not None and record.text == task.theirs and there.state.there
    return made and host.look(taken_path(host, path)).there and coming(host, path) is None


def _shape(task: Task, olds: Sequence[Older]) -> str:
    own = (task.path, tuple(older.path for older in olds))
    return shape_of([own, *((other.path, other.was) for other in _siblings(task))])


def _siblings(task: Task) -> tuple[Shared, ...]:
    return tuple(one for one in task.lore.shared() if one.label != task.label)


def _takes(task: Task, other: Shared, shape: str) -> bool:
    """Say whether another file takes its share: not one that has its shape since before."""
    real = real_path(task.host, other.path)
    if taken(task.host, real, shape) or real in other.was:
        return True
    return recorded_base(task.host, real) is None


@dataclass(frozen=True)
class _Look:
    """A new file, the older ones that are there, and those it shares them with."""

    task: Task
    there: Side
    found: tuple[Source, ...]
    shape: str
    sharing: Mapping[str, Shared]

    @property
    def is_written(self) -> bool:
        """Whether a run was killed when the file was written, and its record was not."""
        begun = coming(self.task.host, self.there.path)
        return begun is not None and begun.new == self.there.state.digest

    def awaits(self) -> tuple[str, ...]:
        """Return the files that have to take their share before this one is written over."""
        inside = any(one.side.path == self.there.path for one in self.found)
        return tuple(
            other.path for other in self.sharing.values()
            if inside and not self._is_made(other, self.task.path)
        )  # fmt: skip

    def may_go(self, one: Source) -> bool:
        """Say whether an older file may go: it is no new one, and all have taken their share."""
        others = self.task.lore.shared()
        new = {
            real_path(self.task.host, path) for path in (self.task.path, *(o.path for o in others))
        }
        if self.task.keeps_old or one.side.path in (self.there.path, *new):
            return False
        return all(self._is_made(other, one.older.path) for other in self.sharing.values())

    def _is_made(self, other: Shared, of: str) -> bool:
        real = real_path(self.task.host, other.path)
        return of not in other.was or of in taken(self.task.host, real, self.shape)

    def is_needed(self, *, fresh: bool) -> bool:
        """Say whether the file is still to be made from older ones."""
        if not self.found:
            return False
        if any(one.side.path == self.there.path for one in self.found):
            shared = any(self.task.path in other.was for other in self.sharing.values())
            return not self.is_written and (len(self.found) > 1 or shared)
        if self.there.text is None or self.is_written or fresh:
            return True
        if recorded_base(self.task.host, self.there.path) is not None:
            return False
        self._refuse_two()
        return True

    def _refuse_two(self) -> None:
        task = self.task
        if self.there.text not in (task.theirs, *(one.side.text for one in self.found)):
            names = " and ".join(one.older.path for one in self.found)
            raise ActionFailed(
                f"{task.host.name}: {names} and {task.path} are both there, and nobody knows which"
                " of them counts",
                f"Move {task.path} away, or {names}.",
            )
