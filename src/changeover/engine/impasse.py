"""Why there is no route, and what would make one."""

from __future__ import annotations

from collections.abc import Sequence

from changeover.engine.graph import Graph, M
from changeover.engine.milestone import Holds, Milestone, against
from changeover.errors import NoRoute


def explained(graph: Graph[M], releases: Sequence[M], installed: str, holds: Holds) -> NoRoute:
    """Say what stands in the way: a blocked release, a missing stop, a `from` that fits nothing."""
    goal = graph.wanted
    shown = installed or "a first installation"
    start = f"no route from {shown} to {goal.version}: "
    why = (
        _goal_refused(goal, installed, holds)
        or _way_refused(releases, goal, installed, holds)
        or _stop_refused(graph)
        or _nothing_fits(graph, goal)
    )
    return NoRoute(start + why[0], why[1])


def _goal_refused(goal: Milestone, installed: str, holds: Holds) -> tuple[str, str] | None:
    reason = against(goal, installed, holds)
    return (f"it is {reason}", "remove the cause, or choose another release") if reason else None


def _way_refused(
    releases: Sequence[M], goal: M, installed: str, holds: Holds
) -> tuple[str, str] | None:
    """Name the releases that a route would have to use, were they not withdrawn or blocked."""
    every = Graph.of(releases, installed, goal, holds, all_of=True)
    way = every.shortest(-1, every.goal, frozenset())
    if way is None:
        return None
    before = installed
    reasons: list[str] = []
    for release in (every.nodes[i] for i in way):
        reason = against(release, before, holds) or _guard(release, before, holds)
        if reason:
            reasons.append(f"{release.version} is {reason}")
        before = release.version
    versions = ", ".join(every.nodes[i].version for i in way)
    if not reasons:
        return None
    return f"it would lead over {versions}, but " + "; ".join(reasons), "remove the cause"


def _guard(release: Milestone, before: str, holds: Holds) -> str:
    for risk in release.risks:
        if risk.level == "block" and holds(risk.when, before):
            return f"blocked, coming from {before or 'nothing'}, by the risk {risk.id}"
    return ""


def _stop_refused(graph: Graph[M]) -> tuple[str, str] | None:
    if graph.goal >= len(graph.nodes) or graph.shortest(-1, graph.goal, frozenset()) is None:
        return None
    for position in range(graph.goal, -1, -1):
        for stop in graph.stops(position):
            named = f"{graph.nodes[position].version} demands a stop at {stop.version}"
            if stop.position is None:
                return (
                    f"{named}, which is not among the usable releases",
                    f"add {stop.version} to a hub",
                )
            if graph.shortest(-1, stop.position, frozenset()) is None:
                return f"{named}, which cannot be reached", "add a release that leads there"
            if graph.shortest(stop.position, position, frozenset()) is None:
                return f"{named}, and nothing leads on from there", "correct the `from` of one"
    return "its stops cannot all be kept", "correct the `stops` of the releases"


def _nothing_fits(graph: Graph[M], goal: M) -> tuple[str, str]:
    reached = graph.reachable()
    furthest = graph.nodes[reached[-1]].version if reached else ""
    said = f"{goal.version} may be come to from {goal.origins or 'any version'}"
    nearest = next((n for n in graph.nodes if n is not goal), None)
    if furthest:
        said += f"; the furthest that can be reached is {furthest}"
    else:
        said += f"; no release may be come to from {graph.installed or 'nothing'}"
    if not furthest and nearest is not None:
        said += f" (the next one, {nearest.version}, only from {nearest.origins or 'any version'})"
    missing = furthest or graph.installed or "none"
    return said, f"add the releases between to a hub: one whose `from` contains {missing}"
