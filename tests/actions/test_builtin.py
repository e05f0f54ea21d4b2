"""The lookup of actions, and how parameters are judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest

from changeover.actions.base import Action
from changeover.actions.builtin import BUILT_IN, build, find, parameters_of, problems
from changeover.actions.parameters import bound, misfits
from changeover.errors import InvalidRelease
from changeover.hosts.host import Host
from changeover.model.plan import Change, Effect


@dataclass(frozen=True)
class Nested:
    """A record inside a parameter."""

    code: int = 0
    """Exit code."""


@dataclass(frozen=True)
class Sample(Action):
    """An action with a parameter of every type."""

    name: ClassVar[str] = "sample.act"

    path: str
    """Where
    it is."""
    words: tuple[str, ...] = ()
    count: int = 1
    level: Literal["low", "high"] = "low"
    sure: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    expect: Nested = Nested()
    seconds: float | None = None
    content: str | bytes = ""

    def plan(self, host: Host) -> Change:
        """Find nothing to do."""
        return Change(Effect.NONE, "nothing")

    def apply(self, host: Host, change: Change) -> None:
        """Do nothing."""


def test_well_typed_parameters_become_fields() -> None:
    params: dict[str, Any] = {
        "path": "/a", "words": ["x", "y"], "count": "3", "expect": {"code": 2}, "seconds": None,
        "content": b"\x00", "env": {"A": "b"},
    }  # fmt: skip

    made = Sample(**bound(Sample, params))

    assert made.words == ("x", "y")
    assert (made.count, made.expect.code, made.content) == (3, 2, b"\x00")


@pytest.mark.parametrize(
    ("params", "message", "remedy"),
    [
        ({"pth": "/a", "path": "/b"}, "no parameter is called 'pth'", "Did you mean 'path'?"),
        ({}, "path is missing", "Write `path: ...` under `with:`."),
        ({"path": 416}, "path: text is wanted, got the number 416", "Put the value in quotes."),
        ({"path": "", "words": "x y"}, "words: a list is wanted, got text", "Write [text, ...]."),
        ({"path": "", "count": "many"}, "count: a whole number is wanted, got text", ""),
        ({"path": "", "count": True}, "count: a whole number is wanted, got true", ""),
        ({"path": "", "count": 1.5}, "count: a whole number is wanted, got the number 1.5", ""),
        (
            {"path": "", "level": "hig"},
            "level: 'hig' is not one of its words",
            "Did you mean 'high'?",
        ),
        (
            {"path": "", "sure": "no"},
            "sure: true or false is wanted, got text",
            "Write true or false, unquoted.",
        ),
        (
            {"path": "", "env": ["a"]},
            "env: a mapping is wanted, got a list",
            "Write `name: value` lines below it.",
        ),
        (
            {"path": "", "expect": {"cod": 1}},
            "expect: no parameter is called 'cod'",
            "Did you mean 'code'?",
        ),
        ({"path": None}, "path: text is wanted, got nothing", "Put the value in quotes."),
    ],
)
def test_a_wrong_parameter_is_named_with_its_remedy(
    params: dict[str, Any], message: str, remedy: str
) -> None:
    (wrong,) = misfits(Sample, params)

    assert (wrong.message, wrong.remedy) == (message, remedy)


def test_lint_trusts_templates_and_files_of_the_bundle() -> None:
    params = {"path": "{{ vars.x }}", "count": "{{ 3 }}", "template": "a.j2"}

    assert not list(misfits(Sample, params, templates=True))


def test_every_wrong_parameter_is_reported_at_once() -> None:
    wrong = list(misfits(Sample, {"pth": 1, "words": "x"}))

    assert [w.parameter for w in wrong] == ["pth", "path", "words"]


def test_the_manual_reads_fields_and_the_strings_below_them() -> None:
    path, words, *_ = parameters_of(Sample)

    assert (path.text, path.required, path.shown) == ("Where it is.", True, "text")
    assert (words.shown, words.default) == ("list of text", ())


def test_an_unknown_action_names_the_nearest_one() -> None:
    with pytest.raises(InvalidRelease, match="no action is called") as caught:
        build("files.wirte", {})

    assert caught.value.remedy == "Did you mean 'files.write'?"
    assert [p.message for p in problems("files.wirte", {})] == [caught.value.message]


@pytest.mark.parametrize("use", BUILT_IN)
def test_a_built_in_action_carries_the_name_it_is_found_by(use: str) -> None:
    assert find(use).name == use or use == "files.template"
