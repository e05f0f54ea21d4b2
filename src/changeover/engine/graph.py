"""Releases as a graph: nodes by version, and an edge wherever one may come from another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from changeover.engine.milestone import Holds, Milestone, against, guards
from changeover.model.release import Condition, Risk
from changeover.sources.versions import VersionKey, VersionRange, version_key, version_range

M = TypeVar("M", bound=Milestone)


@dataclass(frozen=True)
class Due:
    """A stop that must be made here: where it is in the graph, or nowhere."""

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
    _demanding: dict[Due, set[int]] = field(default_factory=dict)
    _known: dict[str, bool] = field(default_factory=dict)
    _ways: dict[tuple[int, int, frozenset[int]], list[int] | None] = field(default_factory=dict)

    @staticmethod
    def of(
        releases: Iterable[M], installed: str, goal: M, holds: Holds, *, all_of: bool = False
    ) -> Graph[M]:
        """Make the graph; `all_of` keeps what is withdrawn or blocked, to explain an impasse."""
        start = version_key(installed) if installed else None
        top = version_key(goal.version)
        found: dict[VersionKey, M] = {}
        for release in (goal, *releases):
            key = version_key(release.version)
            if key <= top and (start is None or key > start) and key not in found:
                found[key] = release
        keys = sorted(
            k for k, r in found.items() if all_of or not against(r, installed, holds, ask=False)
        )
        nodes = [found[k] for k in keys]
        guarded = {} if all_of else {i: g for i, r in enumerate(nodes) if (g := guards(r))}
        ranges = [version_range(r.origins) for r in nodes]
        at = bisect_left(keys, top)
        return Graph(goal, nodes, keys, at, start, installed, holds, ranges, guarded)

    def shortest(self, begin: int, end: int, avoided: frozenset[int]) -> list[int] | None:
        """Return the positions after `begin` up to `end` of the best way, or None."""
        if end >= len(self.nodes):
            return None
        key = (begin, end, frozenset(p for p in avoided if begin < p < end))
        if key not in self._ways:
            self._ways[key] = self._shortest(*key)
        return self._ways[key]

    def leads(self, begin: int, end: int) -> bool:
        """Whether one hop leads from one position to another."""
        wanted = self.ranges[end]
        key = self.keys[begin] if begin >= 0 else self.start
        if key is None:
            allowed = wanted.none
        else:
            allowed = any(key in interval for interval in wanted.intervals)
        return allowed and not self._barred(begin, end)

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
            if self.leads(-1, position) or any(not self._barred(p, position) for p in origins):
                reached.append(position)
        return reached

    def stops(self, position: int) -> list[Due]:
        """Return the stops of a release that hold here. None where nothing is installed."""
        if position not in self._due:
            self._due[position] = list(self._stops(position))
        return self._due[position]

    def demanding(self, stop: Due) -> frozenset[int]:
        """Return the releases that must not be used unless the stop is made."""
        if not self._demanding:
            for position in range(len(self.nodes)):
                for due in self.stops(position):
                    self._demanding.setdefault(due, set()).add(position)
        return frozenset(self._demanding.get(stop, ()))

    def _stops(self, position: int) -> Iterator[Due]:
        for stop in self.nodes[position].stops if self.start is not None else ():
            key = version_key(stop.version)
            between = self.start is not None and self.start < key < self.keys[position]
            if between and (not stop.when or self._holds_here(stop.when)):
                at = bisect_left(self.keys, key)
                there = at < len(self.keys) and self.keys[at] == key
                yield Due(stop.version, at if there else None)

    def _holds_here(self, condition: Condition) -> bool:
        # Hundreds of releases repeat one condition, and a host may have to be asked.
        said = repr(condition)
        if said not in self._known:
            self._known[said] = self.holds(condition, self.installed)
        return self._known[said]

    def _shortest(self, begin: int, end: int, avoided: frozenset[int]) -> list[int] | None:
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

    def _distances(self, begin: int, end: int, avoided: frozenset[int]) -> dict[int, int]:
        """Walk back from `end`; every position is visited once, whatever the ranges overlap."""
        distance = {end: 0}
        unvisited = _Unvisited(begin, end)
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
                if not self._barred(position, node):
                    unvisited.take(position)
                    yield position

    def _barred(self, begin: int, end: int) -> bool:
        risks = self.guarded.get(end, ())
        before = self.installed if begin < 0 else self.nodes[begin].version
        return any(self.holds(risk.when, before) for risk in risks)


class _Unvisited:
    """Positions between two that were not taken yet; taking one is nearly free."""

    def __init__(self, begin: int, end: int) -> None:
        self._base = begin + 1
        self._next = list(range(end - begin))
        self.begin_open = True

    def between(self, low: int, high: int) -> Iterator[int]:
        position = self._find(low) if low < high else high
        while position < high:
            yield position
            position = self._find(position + 1)

    def take(self, position: int) -> None:
        self._next[position - self._base] = position - self._base + 1

    def _find(self, position: int) -> int:
        at = root = position - self._base
        while root < len(self._next) and self._next[root] != root:
            root = self._next[root]
        while at < len(self._next) and self._next[at] != root:
            self._next[at], at = root, self._next[at]
        return root + self._base
