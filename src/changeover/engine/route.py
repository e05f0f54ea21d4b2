"""The chain of releases from what is installed to the target. Pure: a function judges conditions.

A hop leads from a version to a newer release whose `from` contains it. No hop comes to a release
that is withdrawn, or blocked by a risk that holds. A stop that a release of the route names, newer
than what is installed, is on the route too. Of all such routes the one with the fewest hops is
taken; of equal ones that whose first differing release is the newest.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Generic

from changeover.engine.graph import Due, Graph, M
from changeover.engine.impasse import explained
from changeover.engine.milestone import Holds, Milestone, against
from changeover.errors import InvalidInput, NoRoute
from changeover.model.problem import suggestion
from changeover.model.release import Condition, Risk
from changeover.sources.versions import is_version, version_key

MOST_TRIES = 2_000
"""Combinations of stops that are looked at before the releases are called contradictory."""


def never(_condition: Condition, _installed: str) -> bool:
    """Judge conditions where nothing is known: none holds."""
    return False


def find_route(
    releases: Sequence[M], installed: str, target: str, holds: Holds = never
) -> tuple[M, ...]:
    """Return the releases to apply, the target last; nothing where the target is there already.

    `installed` is empty where nothing is. `holds(condition, version)` says whether a condition of
    a release holds when that version is there before it. Raises `NoRoute` saying what is missing.
    """
    goal = _target(releases, target)
    if goal.deploys:
        return _deployed(goal, installed, holds)
    if installed and not is_version(installed):
        raise NoRoute(
            f"installed is `{installed}`, which is not a version",
            f"correct the `probe` of the release, or name a target that deploys {installed}",
        )
    if installed and version_key(installed) == version_key(goal.version):
        return ()
    if installed and version_key(installed) > version_key(goal.version):
        raise NoRoute(
            f"{installed} is installed, which is newer than {goal.version}",
            "go back with `changeover undo`, or restore the backup of that time",
        )
    graph = Graph.of(releases, installed, goal, holds)
    found = _Search(graph, installed, holds).best()
    if found is None:
        raise explained(graph, releases, installed, holds)
    return tuple(graph.nodes[i] for i in found)


def risks_on(
    route: Sequence[Milestone], installed: str, holds: Holds
) -> Iterator[tuple[str, Risk]]:
    """Yield every risk of the route that holds, with the version of its release."""
    before = installed
    for release in route:
        for risk in release.risks:
            if holds(risk.when, before):
                yield release.version, risk
        before = release.version


def _target(releases: Sequence[M], target: str) -> M:
    if not releases:
        raise NoRoute("there are no releases", "name a folder of releases under `hubs:`")
    key = version_key(target) if is_version(target) else None
    alike = [r for r in releases if r.version == target] or [
        r for r in releases if key and version_key(r.version) == key
    ]
    if not alike:
        known = [r.version for r in releases]
        raise NoRoute(f"there is no release {target}", suggestion(target, known))
    goal = alike[0]
    if goal.withdrawn:
        usable = [r.version for r in releases if not r.withdrawn]
        newest = max(usable, key=version_key, default="")
        raise NoRoute(
            f"{goal.version} is withdrawn: {goal.withdrawn.to('en')}",
            f"the newest release that may be used is {newest}" if newest else "wait for another",
        )
    return goal


def _deployed(goal: M, installed: str, holds: Holds) -> tuple[M, ...]:
    for risk in goal.risks:
        if risk.level == "block" and holds(risk.when, installed):
            raise NoRoute(
                f"{goal.version} must not be used here: {risk.text.to('en')} (risk {risk.id})",
                "remove the cause",
            )
    return (goal,)


_Rank = tuple[int, ...]
_Positions = frozenset[int]


@dataclass
class _Search(Generic[M]):
    """Looks for the best route; adds a stop, or gives a release up, where a stop is jumped."""

    graph: Graph[M]
    installed: str
    holds: Holds
    _queue: list[tuple[int, _Rank, int, _Positions, _Positions]] = field(default_factory=list)
    _seen: set[tuple[_Positions, _Positions]] = field(default_factory=set)
    _refused: set[int] = field(default_factory=set)
    _judged: set[int] = field(default_factory=set)

    def best(self) -> tuple[int, ...] | None:
        """Return the positions of the best route's releases."""
        if self.graph.goal >= len(self.graph.nodes):
            return None
        self._offer(frozenset((self.graph.goal,)), frozenset())
        for _ in range(MOST_TRIES):
            if not self._queue:
                return None
            _, rank, _, stops, avoided = heapq.heappop(self._queue)
            path = tuple(-position for position in rank)
            if any([self._refuses(position) for position in path]):
                self._seen.discard((stops, avoided))
                self._offer(stops, avoided)
                continue
            jumped = self._jumped(path)
            if not jumped:
                return path
            self._divide(stops, avoided, jumped)
        raise InvalidInput(
            "the stops of these releases contradict each other", "name a nearer target"
        )

    def _divide(self, stops: _Positions, avoided: _Positions, jumped: list[Due]) -> None:
        """Look on with each stop made, or with nothing that demands it; newest stop first."""
        for stop in jumped:
            without = avoided | self.graph.demanding(stop)
            possible = not stops & without and self._through(stops, without | self._refused)
            if possible:
                self._offer(stops, without)
            if stop.position is None:
                return
            stops |= {stop.position}
            if possible:
                break
        self._offer(stops, avoided)

    def _offer(self, wanted: _Positions, avoided: _Positions) -> None:
        stops = self._with_their_stops(wanted)
        if stops is None or (stops, avoided) in self._seen:
            return
        if stops & (avoided | self._refused):
            return
        self._seen.add((stops, avoided))
        path = self._through(stops, avoided | self._refused)
        if path is not None:
            # Newest first where the number of hops is the same.
            rank = tuple(-position for position in path)
            heapq.heappush(self._queue, (len(path), rank, len(self._seen), stops, avoided))

    def _with_their_stops(self, wanted: _Positions) -> _Positions | None:
        """Add what the wanted releases demand themselves; None where that is nowhere to be had."""
        found, fresh = set(wanted), list(wanted)
        while fresh:
            for stop in self.graph.stops(fresh.pop()):
                if stop.position is None:
                    return None
                if stop.position not in found:
                    found.add(stop.position)
                    fresh.append(stop.position)
        return frozenset(found)

    def _refuses(self, position: int) -> bool:
        """Ask what only a host can tell about a release, once."""
        if position not in self._judged:
            self._judged.add(position)
            if against(self.graph.nodes[position], self.installed, self.holds):
                self._refused.add(position)
        return position in self._refused

    def _through(self, stops: _Positions, avoided: _Positions) -> tuple[int, ...] | None:
        path: list[int] = []
        for begin, end in pairwise((-1, *sorted(stops))):
            part = self.graph.shortest(begin, end, avoided)
            if part is None:
                return None
            path += part
        return tuple(path)

    def _jumped(self, path: tuple[int, ...]) -> list[Due]:
        """Return the stops that releases of the path demand and the path jumps, newest first."""
        on_path = set(path)
        due = {stop for position in path for stop in self.graph.stops(position)}
        missing = [s for s in due if s.position is None or s.position not in on_path]
        # Those that are nowhere to be had come first: they leave one way to go.
        return sorted(
            missing, key=lambda s: (s.position is not None, -(s.position or 0), s.version)
        )
