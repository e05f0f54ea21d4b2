"""What preflight found."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Severity(enum.StrEnum):
    """How much a finding matters."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class Finding:
    """One observation about an environment, with what the operator can do about it."""

    severity: Severity
    message: str
    remedy: str = ""
    name: str = ""
    """What `--waive` calls it; empty means it takes the step's or check's id."""
    host: str = ""
    fix: str = ""
    """Name of the fix that `--fix` may apply; empty where there is none."""


def passed(message: str) -> Finding:
    """Say that something is as it must be."""
    return Finding(Severity.PASS, message)


def warned(message: str, remedy: str = "") -> Finding:
    """Say that something is worth a look and stops nobody."""
    return Finding(Severity.WARN, message, remedy)


def failed(message: str, remedy: str) -> Finding:
    """Say that something would make the run fail, and what to do about it."""
    return Finding(Severity.FAIL, message, remedy)


def blocking(findings: Iterable[Finding], waived: Iterable[str] = ()) -> list[Finding]:
    """Return the failures nobody waived."""
    names = set(waived)
    return [f for f in findings if f.severity is Severity.FAIL and f.name not in names]
