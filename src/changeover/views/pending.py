"""Merges that wait on hosts, as people and programs read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from changeover.views.settings import Shown, counted, setting_lines
from changeover.views.style import bad, careful, faint, good, strong


@dataclass(frozen=True)
class Waiting:
    """One leftover, and what a merge of it comes to."""

    host: str
    file: str
    leftover: str
    base: str = ""
    """Where the base comes from; empty where there is none."""
    sure: bool = False
    distance: float | None = None
    settings: tuple[Shown, ...] = ()
    conflicts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""
    """Why there is no merge."""
    left: str = ""
    """Why a clean merge was not written."""
    written: bool = False
    kept: str = ""
    """Where the file as it was is kept on its host."""

    def but(self, **changes: Any) -> Waiting:
        """Return the same with something else known."""
        return replace(self, **changes)

    def row(self) -> dict[str, Any]:
        """Return it for programs."""
        found = asdict(self)
        found["settings"] = [vars(setting) for setting in self.settings]
        return found


def waiting_lines(found: Iterable[Waiting], *, applied: bool) -> Iterator[str]:
    """Yield each with its base, its settings and its outcome, then how many there are."""
    listed = list(found)
    for one in listed:
        yield from _lines(one)
    if not listed:
        yield good("nothing waits")
    elif applied:
        done = sum(one.written for one in listed)
        yield f"{done} of {len(listed)} merged and cleaned up"
    else:
        ready = sum(_is_ready(one) for one in listed)
        hint = ": --apply" if ready else ""
        yield f"{len(listed)} waiting, {ready} ready to be merged{hint}"


def _is_ready(one: Waiting) -> bool:
    return not one.problem and not one.conflicts


def _lines(one: Waiting) -> Iterator[str]:
    yield f"{strong(f'{one.host}:{one.leftover}')}  {_outcome(one)}"
    if one.problem:
        return
    yield faint(f"  base: {one.base or 'none; a comparison of two sides'}")
    yield from setting_lines(one.settings)
    yield from (f"  note: {note}" for note in one.notes)
    if one.kept:
        yield faint(f"  the file as it was: {one.kept}")


def _outcome(one: Waiting) -> str:
    if one.problem:
        return bad(one.problem)
    if one.written:
        return good("merged, cleaned up")
    if one.conflicts:
        count = len(one.conflicts)
        return bad(f"{count} conflict{'s' * (count > 1)}: {', '.join(one.conflicts)}")
    if one.left:
        return careful(one.left)
    words = counted(one.settings)
    return good(f"clean: {words}") if one.sure else careful(f"clean, base not proven: {words}")
