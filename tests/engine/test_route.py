from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from changeover.engine.route import find_route, risks_on
from changeover.errors import NoRoute
from changeover.model.release import Condition, Risk, Stop
from changeover.model.text import Text, text
from changeover.sources.versions import version_key, version_range

NO_TEXT = Text()


@dataclass(frozen=True)
class Node:
    version: str
    origins: str = ""
    stops: tuple[Stop, ...] = ()
    withdrawn: Text = NO_TEXT
    risks: tuple[Risk, ...] = ()
    deploys: str = ""


def versions_of(route: Sequence[Node]) -> list[str]:
    return [node.version for node in route]


def judge(condition: Condition, installed: str) -> bool:
    """Knows two words: `yes`, and `installed`."""
    if "installed" in condition and installed not in version_range(condition["installed"]):
        return False
    return bool(condition.get("yes", True))


def blocked(risk_id: str, **when: object) -> Risk:
    return Risk(risk_id, when, "block", text(f"{risk_id} would break"))


CHAIN = [Node("4.0"), *(Node(f"4.{n}", f">=4.{n - 1},<4.{n}") for n in range(1, 6))]


def test_a_route_passes_every_release_that_must_be_passed() -> None:
    assert versions_of(find_route(CHAIN, "4.1", "4.4")) == ["4.2", "4.3", "4.4"]


def test_nothing_is_to_do_where_the_target_is_installed() -> None:
    assert find_route(CHAIN, "4.4.0", "4.4") == ()


def test_the_fewest_hops_win_and_of_equal_routes_the_newest_first_release() -> None:
    releases = [Node("2.0"), Node("2.1", ">=1,<3"), Node("2.2", ">=1,<3"), Node("3.0", ">=2.1,<3")]

    assert versions_of(find_route(releases, "1.0", "3.0")) == ["2.2", "3.0"]


def test_a_withdrawn_release_is_walked_around() -> None:
    releases = [
        Node("2.1", ">=1,<3"),
        Node("2.2", ">=1,<3", withdrawn=text("loses mail")),
        Node("3.0", ">=2.1,<3"),
    ]

    assert versions_of(find_route(releases, "1.0", "3.0")) == ["2.1", "3.0"]


def test_a_stop_is_passed_although_the_target_may_be_reached_directly() -> None:
    releases = [Node("2.0"), Node("2.5"), Node("3.0", stops=(Stop("2.5"),))]

    assert versions_of(find_route(releases, "1.0", "3.0")) == ["2.5", "3.0"]
    assert versions_of(find_route(releases, "2.5", "3.0")) == ["3.0"]


def test_a_conditional_stop_is_passed_only_where_its_condition_holds() -> None:
    releases = [Node("2.5"), Node("3.0", stops=(Stop("2.5", {"yes": False}),))]

    assert versions_of(find_route(releases, "1.0", "3.0", judge)) == ["3.0"]


def test_a_stop_named_by_a_release_in_the_middle_binds_the_whole_route() -> None:
    releases = [
        Node("2.0"),
        Node("3.0", ">=1"),
        Node("4.0", ">=3,<4", stops=(Stop("2.0"),)),
        Node("5.0", ">=4,<5"),
    ]

    assert versions_of(find_route(releases, "1.0", "5.0")) == ["2.0", "3.0", "4.0", "5.0"]


def test_a_first_installation_needs_a_release_that_may_come_from_nothing() -> None:
    releases = [Node("1.0", "none"), Node("2.0", ">=1", stops=(Stop("1.0"),))]

    assert versions_of(find_route(releases, "", "2.0")) == ["1.0", "2.0"]
    assert versions_of(find_route([Node("2.0")], "", "2.0")) == ["2.0"]


def test_a_release_that_deploys_a_reference_may_be_applied_over_itself() -> None:
    release = Node("1.0", deploys="ref")

    assert find_route([release], "c4fb550", "1.0") == (release,)
    assert find_route([release], "1.0", "1.0") == (release,)


def test_a_risk_that_depends_on_the_origin_closes_only_that_way() -> None:
    risky = blocked("old-schema", installed="<2")
    releases = [Node("2.0"), Node("3.0", risks=(risky,))]

    assert versions_of(find_route(releases, "1.0", "3.0", judge)) == ["2.0", "3.0"]


def test_only_releases_on_a_route_are_asked_of_a_host() -> None:
    asked: list[str] = []

    def ask(condition: Condition, _installed: str) -> bool:
        asked.append(condition["file"]["path"])
        return bool(condition["file"]["path"] == "/2.2")

    def on_disk(version: str) -> Risk:
        return blocked("disk", file={"path": f"/{version}"})

    releases = [Node(v, ">=1,<3", risks=(on_disk(v),)) for v in ("1.5", "2.0", "2.1", "2.2")]
    releases.append(Node("3.0", ">=2,<3"))

    assert versions_of(find_route(releases, "1.0", "3.0", ask)) == ["2.1", "3.0"]
    assert asked == ["/2.2", "/2.1"]


def test_warnings_of_the_route_are_listed_with_their_release() -> None:
    warn = Risk("slow", {"installed": "<2"}, "warn", text("slow"))
    releases = [Node("2.0", ">=1", risks=(warn,)), Node("3.0", ">=2,<3", risks=(warn,))]
    route = find_route(releases, "1.0", "3.0", judge)

    assert [version for version, _ in risks_on(route, "1.0", judge)] == ["2.0"]


IMPASSES = {
    "unknown target": (CHAIN, "4.1", "4.44", "there is no release 4.44"),
    "no releases": ([], "4.1", "4.4", "there are no releases"),
    "withdrawn target": (
        [Node("1.0"), Node("2.0", withdrawn=text("bad"))], "1.0", "2.0", "2.0 is withdrawn: bad",
    ),
    "newer installed": (CHAIN, "5.0", "4.4", "newer than 4.4"),
    "not a version": (CHAIN, "main", "4.4", "not a version"),
    "nothing fits at all": (CHAIN[2:], "3.0", "4.5", "no release may be come to from 3.0"),
    "gap": (CHAIN[:3] + CHAIN[4:], "4.0", "4.5", "the furthest that can be reached is 4.2"),
    "blocked on the way": (
        [Node("2.0", risks=(blocked("x"),)), Node("3.0", ">=2,<3")], "1.0", "3.0",
        "2.0 is blocked by the risk x: x would break",
    ),
    "withdrawn on the way": (
        [Node("2.0", withdrawn=text("bad")), Node("3.0", ">=2,<3")], "1.0", "3.0",
        "2.0 is withdrawn: bad",
    ),
    "blocked target": ([Node("2.0", risks=(blocked("x"),))], "1.0", "2.0", "it is blocked"),
    "blocked by origin": (
        [Node("2.0", risks=(blocked("x", installed="1.0"),))], "1.0", "2.0",
        "2.0 is blocked, coming from 1.0, by the risk x",
    ),
    "missing stop": ([Node("3.0", stops=(Stop("2.0"),))], "1.0", "3.0", "a stop at 2.0"),
    "unreachable stop": (
        [Node("2.0", "1.9"), Node("3.0", stops=(Stop("2.0"),))], "1.0", "3.0",
        "which cannot be reached",
    ),
    "stop leads nowhere": (
        [Node("2.0"), Node("3.0", "<2", stops=(Stop("2.0"),))], "1.0", "3.0",
        "nothing leads on from there",
    ),
    "nothing installed": ([Node("2.0", ">=1")], "", "2.0", "a first installation"),
}  # fmt: skip


@pytest.mark.parametrize("name", IMPASSES)
def test_no_route_says_what_is_missing(name: str) -> None:
    releases, installed, target, said = IMPASSES[name]

    with pytest.raises(NoRoute) as refused:
        find_route(releases, installed, target, judge)

    assert said in refused.value.message
    assert refused.value.remedy or name == "no remedy"


# Against an oracle: every chain of releases, one by one.


def long_hub(count: int) -> list[Node]:
    return [
        Node(f"{n // 100}.{n % 100}.0", f">={(n - 30) // 100 if n > 30 else 0}.{(n - 30) % 100},"
             f"<{n // 100}.{n % 100}", stops=(Stop(f"{n // 200 * 2}.0.0"),))
        for n in range(1, count)
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "limit"), [(213, 0.05), (10_000, 1.0)])
def test_a_route_over_many_releases_is_found_at_once(count: int, limit: float) -> None:
    releases = long_hub(count)
    took: list[float] = []
    route: tuple[Node, ...] = ()

    for _ in range(3):
        version_key.cache_clear()
        version_range.cache_clear()
        start = time.process_time()
        route = find_route(releases, "0.1.0", releases[-1].version, judge)
        took.append(time.process_time() - start)

    assert len(route) >= count / 31
    assert min(took) < limit
