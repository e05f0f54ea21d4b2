"""The files of an older shape that are still on a host, and which of them may go."""

from __future__ import annotations

from dataclasses import dataclass

from changeover.actions.files_merge_answers import Older, Shared
from changeover.actions.files_merge_outcome import Also, Task
from changeover.actions.files_merge_sides import Side, coming, real_path, side
from changeover.actions.files_merge_taken import NOTHING_TAKEN, Taken, taken
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


def due_of(task: Task, there: Side, *, fresh: bool = False) -> Due:
    """Look for the older files; raise `ActionFailed` where both an old and a new file count.

    `fresh` says that the new file is none that operators edited before.
    """
    if not task.was or task.lore.settled:
        return Due()
    olds = task.lore.older(task.was)
    known = taken(task.host, there.path)
    wanted = frozenset(older.path for older in olds)
    found = tuple(
        Source(older, one)
        for older in olds
        if older.path not in known and (one := side(task.host, older.path)).text is not None
    )
    also = tuple(Also(s.side.path, s.side.state, None) for s in found if _may_go(task, there, s))
    awaits = tuple(
        one.path for one in _siblings(task)
        if _is_inside(there, found) and not _is_made(task, one, task.path)
    )  # fmt: skip
    sources = found if _is_needed(task, there, found, fresh=fresh) else ()
    return Due(sources, also, Taken(known, wanted), awaits if sources else ())


def _siblings(task: Task) -> tuple[Shared, ...]:
    return tuple(one for one in task.lore.shared() if one.label != task.label)


def _is_inside(there: Side, found: tuple[Source, ...]) -> bool:
    return any(one.side.path == there.path for one in found)


def _is_made(task: Task, other: Shared, of: str) -> bool:
    """Say whether another file has taken its share of an older one, or wants none."""
    return of not in other.was or of in taken(task.host, real_path(task.host, other.path))


def _may_go(task: Task, there: Side, one: Source) -> bool:
    """Say whether an older file may go: it is no new one, and all have taken their share."""
    parts = [real_path(task.host, other.path) for other in _siblings(task)]
    own = real_path(task.host, task.path)
    if task.keeps_old or one.side.path in (there.path, own, *parts):
        return False
    return all(_is_made(task, other, one.older.path) for other in _siblings(task))


def _is_needed(task: Task, there: Side, found: tuple[Source, ...], *, fresh: bool) -> bool:
    """Say whether the file is still to be made from older ones."""
    begun = coming(task.host, there.path)
    written = begun is not None and begun.new == there.state.digest
    if not found:
        return False
    if _is_inside(there, found):
        alone = len(found) == 1 and not any(task.path in one.was for one in _siblings(task))
        return not written and not alone
    if there.text is None or written or fresh:
        return True
    if recorded_base(task.host, there.path) is not None:
        return False
    if there.text not in (task.theirs, *(one.side.text for one in found)):
        names = " and ".join(one.older.path for one in found)
        raise ActionFailed(
            f"{task.host.name}: {names} and {task.path} are both there, and nobody knows which"
            " of them counts",
            f"Move {task.path} away, or {names}.",
        )
    return True
