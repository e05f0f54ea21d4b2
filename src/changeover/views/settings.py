"""Settings of a file side by side: its base, what is here, the new reference."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from changeover.views.style import bad, careful, clipped, faint, good

WIDEST = 34
"""Characters a value may take."""


class Shown(Protocol):
    """A setting with its three values; None where it is not there."""

    @property
    def path(self) -> str:
        """Return its path."""

    @property
    def base(self) -> str | None:
        """Return its value in the base."""

    @property
    def ours(self) -> str | None:
        """Return its value here."""

    @property
    def theirs(self) -> str | None:
        """Return its value in the new reference."""

    @property
    def state(self) -> str:
        """Return `here`, `there`, `both`, `conflict` or `settled`."""


_WORDS = {
    "here": "changed here",
    "there": "new in the reference",
    "both": "changed alike",
    "conflict": "in conflict",
    "settled": "settled",
}
_PAINTED = {"here": good, "there": careful, "both": faint, "conflict": bad, "settled": good}


def setting_lines(settings: Collection[Shown]) -> Iterator[str]:
    """Yield one line a setting: path, base → ours → theirs, and what that means."""
    width = max((len(s.path) for s in settings), default=0)
    for setting in settings:
        values = " → ".join(map(_value, (setting.base, setting.ours, setting.theirs)))
        word = _PAINTED[setting.state](_WORDS[setting.state])
        yield f"  {setting.path:<{min(width, 48)}}  {values}  {word}"


def counted(settings: Collection[Shown]) -> str:
    """Say how many settings are changed here, new in the reference, and in conflict."""
    counts = {word: sum(s.state == word for s in settings) for word in _WORDS}
    parts = [f"{count} {_WORDS[word]}" for word, count in counts.items() if count]
    return ", ".join(parts) or "nothing differs"


def _value(value: str | None) -> str:
    if value is None:
        return faint("(none)")
    return clipped(value, WIDEST) if value else '""'
