"""What one rendering of a template may use: turns, seconds, and characters, told beforehand.

Everything here raises jinja2's `SecurityError` where a template would go beyond.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, ValuesView
from contextlib import contextmanager
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.sandbox import safe_range

LARGEST = 8 * 1024 * 1024
"""Characters a text may have that is made in a template."""

MOST_TURNS = 1_000_000
"""Turns that all loops, and calls that all macros, of one rendering may take."""

MOST_MADE = 256 * 1024 * 1024
"""Characters and items that everything one rendering makes may have."""

LONGEST = 5.0
"""Seconds of computing one rendering may take."""

WIDEST, DEEPEST = 100_000, 100
"""The largest number that may say how wide or how many, and how far to indent."""

LARGEST_BASE, MOST_TIMES = 1_000_000, 64
"""Of powers: what is multiplied by itself, and how often."""

MOST_BITS = 65_536
"""Bits of the largest whole number."""

Guard = Callable[..., None]
"""Takes what a filter or a method is given, the text or list first."""

_WIDE = re.compile(r"%[^a-zA-Z%]*(?:\d{5}|\*)|\{[^{}]*:[^{}]*(?:\d{5}|\{)")
CONTAINERS = (dict, list, tuple, set, frozenset, KeysView, ValuesView, ItemsView)
"""What may hold itself, or one thing many times."""

_LOOK_EVERY = 6
"""The clock is looked at each 2^6 turns."""


class _Spent(threading.local):
    depth, turns, made, until = 0, 0, 0, 0.0


_spent = _Spent()


@contextmanager
def rendering() -> Iterator[None]:
    """Bound a rendering, together with those of the variables it asks for on its way."""
    if not _spent.depth:
        _spent.turns, _spent.made, _spent.until = 0, 0, time.thread_time() + LONGEST
    _spent.depth += 1
    try:
        yield
    finally:
        _spent.depth -= 1


def spend(turns: int = 1) -> None:
    """Take turns from what one rendering may."""
    before, _spent.turns = _spent.turns, _spent.turns + turns
    if _spent.turns > MOST_TURNS:
        raise SecurityError(f"loops of more than {MOST_TURNS} turns are not run here")
    if before >> _LOOK_EVERY != _spent.turns >> _LOOK_EVERY:
        refuse_late()


def paid(value: Any) -> Any:
    """Return what was made, taken from what one rendering may make."""
    if isinstance(value, str | bytes | list | tuple):
        _spent.made += len(value)
        if _spent.made > MOST_MADE:
            raise SecurityError("it makes more text than it may")
    return value


def refuse_late() -> None:
    """Look at the clock; it counts this thread's computing, not its waiting for hosts."""
    if _spent.depth and time.thread_time() > _spent.until:
        raise SecurityError(f"it computes for more than {LONGEST:.0f} s")


def ticked(items: Iterable[Any]) -> Iterator[Any]:
    """Yield items, each of which is a turn; a range was paid for as a whole."""
    each = 0 if isinstance(items, range) else 1
    for item in items:
        spend(each)
        yield item


def bounded_range(*limits: int) -> range:
    """Give a range; loops inside loops spend what one rendering may."""
    made = safe_range(*limits)
    spend(len(made))
    return made


def refuse_long(size: int) -> None:
    """Raise where a text would have so many characters."""
    if size > LARGEST:
        raise SecurityError("text that long is not made here")


def refuse_large(value: Any) -> None:
    """Raise where a value, written out, would be longer than a text may be.

    Lists and mappings that hold one another many times are small in memory, and endless on paper.
    """
    refuse_long(weight(value))


def weight(value: Any) -> int:
    """Return about how many characters a value has once it is written out."""
    return _weight(value, {})


def _weight(value: Any, seen: dict[int, int]) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    if not isinstance(value, CONTAINERS):
        return 1
    if id(value) not in seen:
        seen[id(value)] = LARGEST + 1  # what holds itself has no end
        inside = [*value, *value.values()] if isinstance(value, dict) else value
        seen[id(value)] = 1 + sum(_weight(item, seen) for item in inside)
    return seen[id(value)]


def refuse_product(left: Any, right: Any) -> None:
    """Raise where a multiplication makes too much."""
    for sized, times in ((left, right), (right, left)):
        if hasattr(sized, "__len__") and isinstance(times, int):
            refuse_long(len(sized) * abs(times))
    if isinstance(left, int) and isinstance(right, int):
        _refuse_bits(left.bit_length() + right.bit_length())


def refuse_sum(left: Any, right: Any) -> None:
    """Raise where an addition makes too much."""
    if hasattr(left, "__len__") and hasattr(right, "__len__"):
        refuse_long(len(left) + len(right))


def refuse_power(left: Any, right: Any) -> None:
    """Raise where a power is too high."""
    if abs(left) > LARGEST_BASE or abs(right) > MOST_TIMES:
        raise SecurityError("numbers that large are not computed here")


def refuse_percent(left: Any, right: Any) -> None:
    """Raise where a text is filled with more than it may hold."""
    if isinstance(left, str):
        refuse_filling(left, right)


def refuse_filling(text: Any, *given: Any, **named: Any) -> None:
    """Raise where a format is too wide, or names long values too often."""
    text = str(text)
    if _WIDE.search(text):
        raise SecurityError("text that long is not made here")
    fields = text.count("%") + text.count("{")
    refuse_long(len(text) + fields * _longest([*given, *named.values()]))


def _longest(values: Iterable[Any]) -> int:
    found = 0
    for value in values:
        inside = value.values() if isinstance(value, dict) else value
        several = inside if isinstance(value, dict | tuple | list) else [value]
        found = max([found, *map(weight, several)])
    return found


def refuse_wide(value: Any, *given: Any, **named: Any) -> None:
    """Raise where a number says that something is to be very wide, deep or many."""
    wide = [n for n in (*given, *named.values()) if isinstance(n, int) and abs(n) > WIDEST]
    if wide:
        raise SecurityError(f"{wide[0]} is more than {WIDEST}")
    lines = str(value).count("\n") + 1 if isinstance(value, str) else 1
    refuse_long(lines * max([0, *(n for n in given if isinstance(n, int))]))


def refuse_deep(_value: Any, *given: Any, **named: Any) -> None:
    """Raise where a number says that lines are to be indented very far; `width` makes none."""
    said = (*given, *(value for name, value in named.items() if name != "width"))
    deep = [n for n in said if isinstance(n, int) and abs(n) > DEEPEST]
    if deep:
        raise SecurityError(f"{deep[0]} is more than {DEEPEST}")


def refuse_replaced(value: Any, old: Any = "", new: Any = "", *_: Any, **__: Any) -> None:
    """Raise where replacing one text by another makes too much."""
    text, new = str(value), str(new)
    refuse_long(len(text) + text.count(str(old)) * len(new))


def refuse_matched(value: Any, _pattern: Any = "", new: Any = "", *_: Any, **__: Any) -> None:
    """Raise where replacing every match makes too much."""
    text, new = str(value), str(new)
    groups = new.count("\\")
    # At most one match between two characters; a match is no longer than the text.
    refuse_long((len(text) + 1) * (len(new) - groups) // 8 + groups * len(text))


def refuse_joined(value: Any, by: Any = "", *_: Any, **__: Any) -> None:
    """Raise where a list joined is too long."""
    if hasattr(value, "__len__"):
        refuse_long(weight(value) + len(value) * len(str(by)))


def refuse_join(by: Any, value: Any = (), *_: Any, **__: Any) -> None:
    """Raise where a list joined by a text's own method is too long."""
    refuse_joined(value, by)


def refuse_translated(value: Any, table: Any = (), *_: Any, **__: Any) -> None:
    """Raise where putting texts for characters makes too much."""
    refuse_long(len(value) * _longest([table]))


def _refuse_bits(bits: int) -> None:
    if bits > MOST_BITS:
        raise SecurityError("numbers that large are not computed here")
