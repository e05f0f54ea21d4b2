"""Every action has a case, a manual page, and a test against the real program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from changeover.actions.builtin import BUILT_IN, find, parameters_of
from tests.actions.cases import CASES, every_case

TESTS = Path(__file__).parent


def names_in_live_tests() -> set[str]:
    """Return the names in quotes in files `test_live_*.py` here and in tests/live."""
    files = [*TESTS.glob("**/test_live*.py"), *(TESTS.parent / "live").glob("**/test_*.py")]
    return {name for f in files for name in re.findall(r'"([a-z.]+)"', f.read_text())}


@pytest.mark.parametrize("use", BUILT_IN)
def test_an_action_has_a_case(use: str) -> None:
    assert list((CASES / use).glob("*.toml"))


@pytest.mark.parametrize("use", BUILT_IN)
def test_an_action_has_a_manual_page(use: str) -> None:
    action = find(use)

    assert re.match(r"[A-Z][^\n]*\.", action.__doc__ or "")
    assert not [p.name for p in parameters_of(action) if not p.text]


@pytest.mark.parametrize("use", BUILT_IN)
def test_an_action_is_tested_against_the_real_program(use: str) -> None:
    assert use in names_in_live_tests()


def test_every_folder_of_cases_is_an_action() -> None:
    assert {f.parent.name for f in every_case()} <= set(BUILT_IN)
