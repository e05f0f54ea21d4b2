"""Releases as a graph: nodes by version, and an edge wherever one may come from another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from changeover.model.release import Condition, Risk, Stop
from changeover.model.text import Text
from changeover.sources.versions import (
    VersionKey,
    VersionRange,
    version_key,
    version_range,
)
from changeover.sources.when import asks_host, mentions_installed

Holds = Callable[[Condition, str], bool]
"""Says whether a condition holds when a version is there before."""


class Milestone(Protocol):
    """What a route needs to know of a release; both a whole one and a listed one tell it."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def origins(self) -> str:
        """From which versions one may come."""

    @property
    def stops(self) -> tuple[Stop, ...]:
        """Which releases must not be jumped on the way."""

    @property
    def withdrawn(self) -> Text:
        """Why it must not be used."""

    @property
    def risks(self) -> tuple[Risk, ...]:
        """What may stand against it."""

    @property
    def deploys(self) -> str:
        """The input with the reference it deploys."""


M = TypeVar("M", bound=Milestone)


@dataclass(frozen=True)
class Due:
    """A stop that holds: where it is in the graph, or nowhere."""

    version: str
    position: int | None


@dataclass(frozen=True)
class Graph(Generic[M]):
    """The usable releases above what is installed, up to the goal, oldest first.

    Position -1 is what is installed.
    """

    wanted: M
    """The release at the goal, also where it must not be used."""
    nodes: Sequence[M]
    keys: Sequence[VersionKey]
    goal: int
    start: VersionKey | None
    """None where nothing is installed."""
    installed: str
    holds: Holds
    ranges: Sequence[VersionRange]
    guarded: Mapping[int, tuple[Risk, ...]]
    """Positions of releases whose risks depend on where one comes from."""
    _due: dict[int, list[Due]] = field(default_factory=dict)

    @staticmethod
    def of(
        releases: Iterable[M], installed: str, goal: M, holds: Holds, *, all_of: bool = False
    ) -> Graph[M]:
        """Make the graph; `all_of` keeps what is withdrawn or blocked, to explain an impasse."""
        start = version_key(installed) if installed else None
        top = version_key(goal.version)
        usable: dict[VersionKey, M] = {}
        for release in (goal, *releases):
            key = version_key(release.version)
            if key <= top and (start is None or key > start) and key not in usable:
                usable[key] = release
        kept = sorted(
            k for k, r in usable.items() if all_of or not against(r, installed, holds, ask=False)
        )
        nodes = [usable[k] for k in kept]
        guarded = {} if all_of else {i: g for i, r in enumerate(nodes) if (g := _guards(r))}
        ranges = [version_range(r.origins) for r in nodes]
        position = bisect_left(kept, top)
        goal_at = position if position < len(kept) else len(kept)
        return Graph(goal, nodes, kept, goal_at, start, installed, holds, ranges, guarded)

    def shortest(self, begin: int, end: int, avoided: frozenset[int]) -> list[int] | None:
        """Return the positions after `begin` up to `end` of the best way, or None."""
        if end >= len(self.nodes):
            return None
        distance = self._distances(begin, end, avoided)
        if begin not in distance:
            return None
        levels: dict[int, list[int]] = {}
        for position, far in distance.items():
            levels.setdefault(far, []).append(position)
        path: list[int] = []
        at = begin
        while at != end:
            nearer = sorted(levels[distance[at] - 1], reverse=True)
            at = next(p for p in nearer if p > at and self.leads(at, p))
            path.append(at)
        return path

    def reachable(self) -> list[int]:
        """Return every position that some chain of hops reaches, oldest first."""
        reached: list[int] = []
        for position, wanted in enumerate(self.ranges):
            spans = [interval.span(self.keys) for interval in wanted.intervals]
            origins = (
                p
                for low, high in spans
                for p in reached[bisect_left(reached, low) : bisect_left(reached, high)]
            )
            if self.leads(-1, position) or any(not self._guarded(p, position) for p in origins):
                reached.append(position)
        return reached

    def leads(self, begin: int, end: int) -> bool:
        """Whether one hop leads from one position to another."""
        wanted = self.ranges[end]
        if begin < 0 and self.start is None:
            allowed = wanted.none
        else:
            key = self.start if begin < 0 else self.keys[begin]
            allowed = any(key in interval for interval in wanted.intervals if key is not None)
        return allowed and not self._guarded(begin, end)

    def stops(self, position: int, installed: str, holds: Holds) -> list[Due]:
        """Return the stops of a release that hold here. None where nothing is installed."""
        if position not in self._due:
            self._due[position] = list(self._stops(position, installed, holds))
        return self._due[position]

    def _stops(self, position: int, installed: str, holds: Holds) -> Iterator[Due]:
        for stop in self.nodes[position].stops if self.start is not None else ():
            key = version_key(stop.version)
            between = self.start is not None and self.start < key < self.keys[position]
            if between and (not stop.when or holds(stop.when, installed)):
                at = bisect_left(self.keys, key)
                there = at < len(self.keys) and self.keys[at] == key
                yield Due(stop.version, at if there else None)

    def _distances(self, begin: int, end: int, avoided: frozenset[int]) -> dict[int, int]:
        """Walk back from `end`; every position is visited once, whatever the ranges overlap."""
        distance = {end: 0}
        unvisited = _Unvisited(end)
        frontier = [end]
        while frontier and begin not in distance:
            reached: list[int] = []
            for node in frontier:
                for position in self._origins(node, begin, unvisited):
                    if position not in avoided:
                        distance[position] = distance[node] + 1
                        reached.append(position)
            frontier = reached
        return distance

    def _origins(self, node: int, begin: int, unvisited: _Unvisited) -> Iterator[int]:
        if unvisited.begin_open and self.leads(begin, node):
            unvisited.begin_open = False
            yield begin
        for interval in self.ranges[node].intervals:
            low, high = interval.span(self.keys)
            for position in unvisited.between(max(low, begin + 1), min(high, node)):
                if not self._guarded(position, node):
                    unvisited.take(position)
                    yield position

    def _guarded(self, begin: int, end: int) -> bool:
        risks = self.guarded.get(end, ())
        before = self.installed if begin < 0 else self.nodes[begin].version
        return any(self.holds(risk.when, before) for risk in risks)


class _Unvisited:
    """Positions below a bound that were not taken yet; taking one is nearly free."""

    def __init__(self, bound: int) -> None:
        self._next = list(range(bound + 1))
        self.begin_open = True

    def between(self, low: int, high: int) -> Iterator[int]:
        position = self._find(low) if low < high else high
        while position < high:
            yield position
            position = self._find(position + 1)

    def take(self, position: int) -> None:
        self._next[position] = position + 1

    def _find(self, position: int) -> int:
        root = position
        while root < len(self._next) and self._next[root] != root:
            root = self._next[root]
        while position < len(self._next) and self._next[position] != root:
            self._next[position], position = root, self._next[position]
        return root


def against(release: Milestone, installed: str, holds: Holds, *, ask: bool = True) -> str:
    """Return why a release must not be used, wherever one comes from; empty if it may.

    Without `ask`, risks that only a host can tell are passed over: a hub has hundreds of releases,
    and only those on a route are worth a question.
    """
    if release.withdrawn:
        return f"withdrawn: {release.withdrawn.to('en')}"
    for risk in release.risks:
        if risk.level != "block" or mentions_installed(risk.when):
            continue
        if (ask or not asks_host(risk.when)) and holds(risk.when, installed):
            return f"blocked by the risk {risk.id}: {risk.text.to('en')}"
    return ""


def _guards(release: Milestone) -> tuple[Risk, ...]:
    return tuple(r for r in release.risks if r.level == "block" and mentions_installed(r.when))
