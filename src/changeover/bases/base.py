"""The base of a merge: its text, where it comes from, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Base:
    """The reference an edited file was made from."""

    text: bytes
    origin: str
    """Where it comes from, for people: `nginx-common 1.22.1-9 (package, MD5 checked)`."""
    sure: bool = True
    """Whether it is proven by a digest or a record; what is not has to be approved."""
    distance: float = 0.0
    """How far the local file is from it: 0 the same settings, 1 none; only of a guess."""


def guessed(text: bytes, origin: str, distance: float) -> Base:
    """Return a base nobody proved, as it is shown."""
    return Base(text, f"{origin}: a guess, {distance:.0%} of its settings differ", False, distance)
