"""What a doctor says: faults with their evidence, and which of them are only consequences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from changeover.model.release import Condition, Params, Target, Where


@dataclass(frozen=True)
class Organ:
    """A part of the platform, as the release writes it: its values may be templates."""

    kind: str
    """`programs`, `databases`, ..."""
    values: Params
    on: Target = field(default_factory=Target)
    when: Condition = field(default_factory=dict)
    where: Where = field(default_factory=Where)


@dataclass(frozen=True)
class Mending:
    """An action that mends a fault and destroys nothing."""

    title: str
    """What it does, in a few words."""
    use: str
    with_: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """Something that is wrong on a host, or will be soon."""

    kind: str
    """What every fault of this sort is called, such as `disk-full`."""
    thing: str
    """What it is wrong with, such as `disk /var`: other faults name it as their cause."""
    what: str
    """The cause in one sentence."""
    evidence: tuple[str, ...] = ()
    """What shows it: lines of logs, places in files, the commit that is deployed."""
    remedy: str = ""
    after: tuple[str, ...] = ()
    """Patterns of things whose faults would explain this one."""
    grave: bool = True
    """Whether something is broken now; otherwise it only will be."""
    mending: Mending | None = None
    host: str = ""
    alone: str = ""
    """The remedy where no other fault explains this one."""


@dataclass(frozen=True)
class Told:
    """A fault in its place: how far it is from the root that explains it."""

    fault: Fault
    depth: int = 0


@dataclass(frozen=True)
class Examined:
    """One host as the doctor saw it."""

    host: str
    looked_at: tuple[str, ...]
    """The things that were looked at."""
    deployed: tuple[str, ...] = ()
    """The commits that are deployed, each in a line."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Diagnosis:
    """All that was found on an instance, causes before symptoms."""

    hosts: tuple[Examined, ...]
    findings: tuple[Told, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether anything does not work now."""
        return any(found.fault.grave for found in self.findings)


def in_order(faults: Sequence[Fault]) -> tuple[Told, ...]:
    """Order faults so that each cause stands above what it explains; nothing is told twice.

    Faults come in the order of their kinds, causes first: a fault is only explained by one that
    comes before it.
    """
    parents = {n: _cause(n, faults) for n in range(len(faults))}
    roots = [n for n, parent in parents.items() if parent is None]
    roots.sort(key=lambda n: not faults[n].grave)
    return tuple(found for root in roots for found in _told(root, 0, faults, parents))


def _cause(number: int, faults: Sequence[Fault]) -> int | None:
    """Return the nearest cause: of several, the one that is itself explained by the others."""
    causes = [n for n in range(number) if _explains(faults[n], faults[number])]
    return causes[-1] if causes else None


def _explains(cause: Fault, fault: Fault) -> bool:
    same_host = not fault.host or not cause.host or cause.host == fault.host
    named = any(fnmatchcase(cause.thing, pattern) for pattern in fault.after)
    return cause.grave and same_host and named


def _told(
    number: int, depth: int, faults: Sequence[Fault], parents: Mapping[int, int | None]
) -> Iterator[Told]:
    fault = faults[number]
    yield Told(fault if depth or not fault.alone else replace(fault, remedy=fault.alone), depth)
    for child in _children(number, parents):
        yield from _told(child, depth + 1, faults, parents)


def _children(number: int, parents: Mapping[int, int | None]) -> Iterable[int]:
    return [child for child, parent in parents.items() if parent == number]
