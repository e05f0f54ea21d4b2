"""Versions and ranges of versions, as products and their packages write them.

Compared are the numbers (`4.3` and `4.3.0` are one version, `24.10` is above `24.9`, dates work),
then what follows: `~x` and words that announce a release (`dev`, `alpha`, `beta`, `rc`, any other)
stand before it, `-1` and `p1` after it. `+build` and a leading `v` count for nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from changeover.errors import InvalidInput

Part = tuple[int, int, str]
VersionKey = tuple[int, tuple[int, ...], tuple[Part, ...]]
"""Epoch, numbers without trailing zeros, what follows."""

_VERSION = re.compile(r"(?:(\d{1,9}):)?[vV]?(\d{1,18}(?:\.\d{1,18})*)(?!\d)(.*)", re.DOTALL)
_TOKEN = re.compile(r"[-._]?(?:(~)|(\d{1,18})(?!\d)|([A-Za-z]+))")
_BEFORE = {
    "dev": -9, "snapshot": -8, "nightly": -8, "a": -7, "alpha": -7, "b": -6, "beta": -6,
    "m": -5, "milestone": -5, "pre": -4, "preview": -4, "c": -3, "cr": -3, "rc": -3,
}  # fmt: skip
_AFTER = frozenset(("p", "pl", "patch", "post", "r", "rev", "sp", "hotfix", "update", "u"))
_SAME = frozenset(("final", "ga", "release", "stable", "lts"))
_END: Part = (0, 0, "")
_LOWEST: tuple[Part, ...] = ((-99, 0, ""),)


@lru_cache(maxsize=65536)
def version_key(version: str) -> VersionKey:
    """Return what two versions are compared by; raise `InvalidInput` if it is not a version."""
    found = _VERSION.fullmatch(version.strip())
    rest = found[3].split("+", 1)[0] if found else ""
    if not found or len(version) > 128 or _TOKEN.sub("", rest):
        raise InvalidInput(
            f"`{version[:60]}` is not a version",
            "write numbers first: 4.3.0, 24.10-rc1, 2024-10-05",
        )
    numbers = [int(n) for n in found[2].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return int(found[1] or 0), tuple(numbers), _following(rest)


def is_version(text: str) -> bool:
    """Whether a text reads as a version; a branch name does not."""
    try:
        version_key(text)
    except InvalidInput:
        return False
    return True


def _following(rest: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    for tilde, number, letters in _TOKEN.findall(rest):
        word = letters.lower()
        if tilde:
            parts.append((-10, 0, ""))
        elif number:
            parts.append((1, int(number), ""))
        elif word in _AFTER:
            parts.append((2, 0, ""))
        elif word not in _SAME:
            parts.append((_BEFORE.get(word, -2), 0, word if word not in _BEFORE else ""))
    return (*parts, _END)


@dataclass(frozen=True)
class Interval:
    """The versions from `low` up to, not including, `high`; None means no bound."""

    low: VersionKey | None = None
    high: VersionKey | None = None

    def __contains__(self, key: VersionKey) -> bool:
        return (self.low is None or self.low <= key) and (self.high is None or key < self.high)

    def meet(self, other: Interval) -> Interval:
        """Return the versions in both."""
        lows = [k for k in (self.low, other.low) if k is not None]
        highs = [k for k in (self.high, other.high) if k is not None]
        return Interval(max(lows, default=None), min(highs, default=None))

    def span(self, ordered: Sequence[VersionKey]) -> tuple[int, int]:
        """Return which positions of an ordered list are inside: first, and first beyond."""
        low = 0 if self.low is None else bisect_left(ordered, self.low)
        high = len(ordered) if self.high is None else bisect_left(ordered, self.high)
        return low, max(low, high)


@dataclass(frozen=True)
class VersionRange:
    """A set of versions: `>=4.3,<4.4`, `4.3.*`, `*`, `!=4.3.2`, `none`, joined by `||`."""

    intervals: tuple[Interval, ...]
    none: bool = False
    """Whether a first installation, with nothing there yet, is inside."""

    def __contains__(self, version: str) -> bool:
        if not version:
            return self.none
        key = version_key(version)
        return any(key in interval for interval in self.intervals)


ANY = VersionRange((Interval(),), none=True)
"""What an empty range means: any version, also none yet."""


@lru_cache(maxsize=16384)
def version_range(text: str) -> VersionRange:
    """Read a range; raise `InvalidInput` naming the part that is not one."""
    if not text.strip():
        return ANY
    intervals: list[Interval] = []
    none = False
    for alternative in text.split("||"):
        if alternative.strip() == "none":
            none = True
        else:
            intervals += _all_of(alternative, text)
    return VersionRange(tuple(intervals), none)


def _all_of(alternative: str, text: str) -> list[Interval]:
    found = [Interval()]
    for part in alternative.split(","):
        if not part.strip():
            raise InvalidInput(f"`{text}` is not a range: a part is empty", _REMEDY)
        choices = _compared(part.strip(), text)
        found = [meeting for a in found for b in choices if not _empty(meeting := a.meet(b))]
    return found


def _empty(interval: Interval) -> bool:
    low, high = interval.low, interval.high
    return low is not None and high is not None and low >= high


_REMEDY = "write it like >=4.3,<4.4 or 4.3.* or * or none, alternatives joined by ||"
_COMPARISON = re.compile(r"(>=|<=|==|!=|=|>|<|~>|~=|\^)?\s*(\S+)")


def _compared(part: str, text: str) -> list[Interval]:
    found = _COMPARISON.fullmatch(part)
    if not found:
        raise InvalidInput(f"`{text}` is not a range: `{part}`", _REMEDY)
    sign, version = found[1] or "=", found[2]
    try:
        return _intervals(sign, version)
    except InvalidInput as error:
        raise InvalidInput(f"`{text}` is not a range: {error.message}", _REMEDY) from None


def _intervals(sign: str, version: str) -> list[Interval]:
    if version.endswith((".*", ".x")) or version == "*":
        return _starred(sign, version)
    key = version_key(version)
    bounds = {
        ">=": Interval(low=key),
        ">": Interval(low=_after(key)),
        "<": Interval(high=_before(key)),
        "<=": Interval(high=_after(key)),
    }
    if sign in bounds:
        return [bounds[sign]]
    if sign == "!=":
        return [Interval(high=key), Interval(low=_after(key))]
    if sign in ("^", "~>", "~="):
        kept = _written(version)[: 1 if sign == "^" else -1]
        return [Interval(key, _next(kept, key[0]))]
    return [Interval(key, _after(key))]


def _starred(sign: str, version: str) -> list[Interval]:
    if sign not in ("=", "=="):
        raise InvalidInput(f"`{sign}{version}`: a star stands alone")
    if version == "*":
        return [Interval()]
    stem = version[:-2]
    key = version_key(stem)
    return [Interval((key[0], key[1], _LOWEST), _next(_written(stem), key[0]))]


def _written(version: str) -> tuple[int, ...]:
    found = _VERSION.fullmatch(version)
    return tuple(int(n) for n in found[2].split(".")) if found else ()


def _next(numbers: tuple[int, ...], epoch: int) -> VersionKey | None:
    """Return the bound above every version that starts with these numbers."""
    if not numbers:
        return None
    return epoch, (*numbers[:-1], numbers[-1] + 1), _LOWEST


def _after(key: VersionKey) -> VersionKey:
    # Tuples: the shortest extension is the next larger key.
    return key[0], key[1], (*key[2], (-99, 0, ""))


def _before(key: VersionKey) -> VersionKey:
    """Return the bound of `<key`: what announces a release is not below it (`<4.4`: no 4.4-rc1)."""
    announced = key[2][0][0] < 0
    return key if announced else (key[0], key[1], _LOWEST) if key[2] == (_END,) else key
