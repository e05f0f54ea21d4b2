"""The outcome of a merge whatever the shape of the file: as it was, moved, divided or joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from functools import partial

from changeover.actions.files_merge_answers import References
from changeover.actions.files_merge_older import Due, Source, due_of
from changeover.actions.files_merge_outcome import (
    Outcome,
    Task,
    accepted,
    base_of,
    outcome,
    seen_on,
)
from changeover.actions.files_merge_sides import Side
from changeover.bases.base import Base
from changeover.errors import ActionFailed
from changeover.merge.shapes import Gathered, gathered, reshaped
from changeover.merge.shares import New, Old
from changeover.merge.verdict import Answer, Conflict, Note

OURS, THEIRS = "ours", "theirs"


def shaped_outcome(task: Task) -> Outcome:
    """Find all that a file is made from on a host and merge it, in mind."""
    due = due_of(task, seen_on(task).there)
    if due.sources:
        return made_from(task, due)
    return replace(outcome(task), also=due.also, taken=due.taken)


def made_from(task: Task, due: Due) -> Outcome:
    """Merge what older files hold of a new one."""
    found = seen_on(task)
    bases, asked = _bases(task, due.sources)
    news = _news(task)
    with task.reading(", ".join(source.older.path for source in due.sources)):
        olds = [_old(task, source, base, due.sharing)
                for source, base in zip(due.sources, bases, strict=True)]  # fmt: skip
        homes = _homes(task, olds, news)
        mine = gathered(olds, news, task.label, homes)
        content, conflicts, notes = _merged(task, mine, news[task.label])
    origin = ", ".join(dict.fromkeys(base.origin if base else "no base" for base in bases))
    first = due.sources[0].side
    return replace(
        found,
        mine=Side(first.path, first.state, mine.ours),
        base=Base(mine.base, origin) if mine.base is not None else None,
        content=content,
        conflicts=(*asked, *conflicts),
        notes=notes,
        also=due.also,
        taken=due.taken,
        told=_told(task, due.sources, olds),
        seen={source.side.path: source.side.state for source in due.sources},
        awaits=due.awaits,
    )


def _merged(
    task: Task, mine: Gathered, new: New
) -> tuple[bytes, tuple[Conflict, ...], tuple[Note, ...]]:
    answers = task.lore.answers
    merged = task.supplied(reshaped(mine, new), {})
    given = answers.to(task.names, [c for c in merged.conflicts if c.kind != "homeless"])
    if given:
        merged = task.supplied(reshaped(mine, new, given), given)
    return merged.text, merged.conflicts, merged.notes


def _bases(task: Task, sources: Sequence[Source]) -> tuple[list[Base | None], tuple[Conflict, ...]]:
    bases: list[Base | None] = []
    asked: list[Conflict] = []
    for source in sources:
        references = source.older.references
        base = base_of(task, source.side, partial(_known, references))
        of = source.older.path if len(sources) > 1 else ""
        base, question = accepted(task, base, of)
        bases.append(base)
        asked += question
    return bases, tuple(asked)


def _known(references: References) -> References:
    return references


def _news(task: Task) -> dict[str, New]:
    own = New(task.path, task.theirs, task.format, task.identity, task.renamed, task.required)
    found = {
        one.label: New(one.path, one.theirs, one.format or None, one.identity, one.renamed)
        for one in task.lore.shared()
    }
    return found | {task.label: own}


def _old(task: Task, source: Source, base: Base | None, sharing: Set[str]) -> Old:
    path = source.older.path
    shared = task.lore.shared()
    places = {one.label: one.path for one in shared if one.label in sharing and path in one.was}
    order = [one.label for one in shared] or [task.label]
    places[task.label] = task.path
    parts = tuple(sorted(places, key=order.index))
    stays = next((name for name in parts if places[name] == path), "")
    base_text = task.respelled(base.text) if base else None
    return Old(path, base_text, task.respelled(source.side.text or b""), parts, stays)


def _homes(task: Task, olds: Sequence[Old], news: Mapping[str, New]) -> dict[str, str]:
    """Return where additions go that may belong to several files, as far as somebody said so."""
    names = {one.label: one.names for one in task.lore.shared()} | {task.label: task.names}
    chosen: dict[str, str] = {}
    for old in olds:
        for label in old.parts if len(old.parts) > 1 else ():
            asked = gathered([old], news, label).homeless
            answers = task.lore.answers.to(names[label], asked)
            chosen |= {path: _home(task, path, said, label, old.parts)
                       for path, said in answers.items()}  # fmt: skip
    return chosen


def _home(task: Task, path: str, said: Answer, asking: str, parts: Sequence[str]) -> str:
    if said.choice in (OURS, THEIRS):
        return asking if said.choice == OURS else ""
    if said.value not in parts:
        raise ActionFailed(
            f"{task.host.name}: {path}: the answer `{said.value}` is no file it could go to",
            f"Answer {', '.join(parts)}; `theirs` leaves it out.",
        )
    return said.value


def _told(task: Task, sources: Sequence[Source], olds: Sequence[Old]) -> str:
    paths = ", ".join(source.older.path for source in sources)
    divided = any(len(old.parts) > 1 for old in olds)
    if len(sources) == 1 and not divided:
        return f"move {paths} to {task.path}"
    if len(sources) == 1 and paths == task.path:
        return f"divide {task.path}"
    return f"make {task.path} out of {paths}"
