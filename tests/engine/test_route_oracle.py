"""Routes beside an oracle that tries every one there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changeover.engine.route import find_route
from changeover.errors import NoRoute
from changeover.model.release import Risk, Stop
from changeover.model.text import Text, text
from changeover.sources.versions import version_key, version_range
from tests.engine.test_route import Node, judge


def may_follow(node: Node, at: str) -> bool:
    newer = not at or version_key(node.version) > version_key(at)
    allowed = newer and not node.withdrawn and at in version_range(node.origins)
    return allowed and not any(judge(r.when, at) for r in node.risks)


def chains(nodes: Sequence[Node], at: str, target: str) -> Iterator[tuple[Node, ...]]:
    for node in (n for n in nodes if may_follow(n, at)):
        if node.version == target:
            yield (node,)
        elif version_key(node.version) < version_key(target):
            yield from ((node, *rest) for rest in chains(nodes, node.version, target))


def every_route(nodes: Sequence[Node], installed: str, target: str) -> Iterator[tuple[Node, ...]]:
    for route in chains(nodes, installed, target):
        there = {node.version for node in route}
        due = (
            s.version
            for n in route
            for s in n.stops
            if installed
            and judge(s.when, installed)
            and version_key(installed) < version_key(s.version) < version_key(n.version)
        )
        if all(stop in there for stop in due):
            yield route


def best_of(routes: Iterator[tuple[Node, ...]]) -> tuple[Node, ...] | None:
    def rank(route: tuple[Node, ...]) -> tuple[int, list[int]]:
        return len(route), [-int(n.version.split(".")[0]) for n in route]

    return min(routes, key=rank, default=None)


NUMBERS = st.integers(1, 8)


RANGES = st.one_of(
    st.just(""),
    st.just("none"),
    st.builds(lambda a, b: f">={a},<{a + b}", NUMBERS, NUMBERS),
    st.builds(lambda a, b: f"=={a} || >={b},!={a}", NUMBERS, NUMBERS),
    st.builds(lambda a: f"none || {a}.*", NUMBERS),
)


CONDITIONS = st.one_of(
    st.just({}), st.just({"yes": False}), st.builds(lambda r: {"installed": r}, RANGES)
)


RISKS = st.builds(lambda when: (Risk("r", when, "block", text("no")),), CONDITIONS)


STOPS = st.lists(st.builds(lambda n, w: Stop(f"{n}.0", w), NUMBERS, CONDITIONS), max_size=2)


NODES = st.builds(
    Node,
    version=NUMBERS.map(lambda n: f"{n}.0"),
    origins=RANGES,
    stops=st.one_of(st.just(()), STOPS.map(tuple)),
    withdrawn=st.sampled_from([Text(), Text(), Text(), text("bad")]),
    risks=st.one_of(st.just(()), st.just(()), RISKS),
)


HUBS = st.lists(NODES, min_size=1, max_size=8, unique_by=lambda n: n.version)


def compare_with_the_oracle(nodes: list[Node], installed: str, goal: int) -> None:
    target = f"{goal}.0"
    if installed and version_key(installed) >= version_key(target):
        return
    expected = best_of(every_route(nodes, installed, target))

    try:
        found = find_route(nodes, installed, target, judge)
    except NoRoute:
        found = None

    assert found == expected


INSTALLED = st.sampled_from(["", "0.5", "1.0", "2.0", "3.5"])


@given(HUBS, INSTALLED, NUMBERS)
@settings(max_examples=400, deadline=None)
def test_the_route_is_the_best_of_all_there_are(
    nodes: list[Node], installed: str, goal: int
) -> None:
    compare_with_the_oracle(nodes, installed, goal)


@pytest.mark.fuzz
@given(HUBS, INSTALLED, NUMBERS)
@settings(max_examples=30_000, deadline=None)
def test_the_route_is_the_best_of_all_there_are_at_length(
    nodes: list[Node], installed: str, goal: int
) -> None:
    compare_with_the_oracle(nodes, installed, goal)
