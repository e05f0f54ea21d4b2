"""Versions as programs tell them, and conditions on them: `>=3.8,<3.12`, `18`, `==16.15.1`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from changeover.errors import InvalidRelease

_TOLD = re.compile(r"(?<![\d.])v?(\d+(?:\.\d+)+|\d+)")
_CONDITION = re.compile(r"\s*(>=|<=|==|!=|>|<|)\s*v?(\d+(?:\.\d+)*)\s*")
_SIGNS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}


def parse_version(output: str) -> str:
    """Return the first version in what a program printed, empty if there is none."""
    found = _TOLD.search(output)
    return found[1] if found else ""


def satisfies(version: str, condition: str) -> bool:
    """Say whether a version meets every part of a condition; a bare number is a prefix."""
    return all(_holds(version, part) for part in condition.split(",") if part.strip())


def require_condition(condition: str) -> None:
    """Raise `InvalidRelease` unless it can be read as a condition."""
    for part in condition.split(",") if condition else ():
        if not _CONDITION.fullmatch(part):
            raise InvalidRelease(f"version: {part.strip()!r} is no condition", "Write >=3.8,<3.12.")


def _holds(version: str, part: str) -> bool:
    found = _CONDITION.fullmatch(part)
    if not found or not version:
        return False
    sign, numbers = found[1], _numbers(found[2])
    told = _numbers(version)
    if not sign:
        return told[: len(numbers)] == numbers
    width = max(len(told), len(numbers))
    return _SIGNS[sign](_padded(told, width), _padded(numbers, width))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in version.split("."))


def _padded(numbers: tuple[int, ...], width: int) -> tuple[int, ...]:
    return numbers + (0,) * (width - len(numbers))
