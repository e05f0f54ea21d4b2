"""A guide: what a person would read and do, for one instance alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from changeover.model.release import Phase


@dataclass(frozen=True)
class GuideFile:
    """A file a step writes: where it goes, and what is in it."""

    name: str
    content: str


@dataclass(frozen=True)
class GuideStep:
    """One thing to do, with the values of this instance."""

    id: str
    title: str
    phase: Phase
    use: str
    hosts: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    """Parameters, in words."""
    files: tuple[GuideFile, ...] = ()
    note: str = ""
    question: str = ""
    """What somebody must agree to first."""
    only_if: str = ""
    """A condition that only the hosts can tell; empty where the step is certain."""
    final: bool = False
    """Whether there is no way back from here."""


@dataclass(frozen=True)
class GuideCheck:
    """Something that must be so before one begins."""

    title: str
    use: str
    values: Mapping[str, str] = field(default_factory=dict)
    remedy: str = ""


@dataclass(frozen=True)
class GuideHop:
    """One release of the way."""

    version: str
    title: str
    impact: str
    notes: str = ""
    """Markdown."""
    risks: tuple[str, ...] = ()
    checks: tuple[GuideCheck, ...] = ()
    steps: tuple[GuideStep, ...] = ()


@dataclass(frozen=True)
class Guide:
    """A whole way from what is installed to the target."""

    product: str
    instance: str
    installed: str
    target: str
    language: str
    hops: tuple[GuideHop, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
