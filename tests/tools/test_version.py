"""Versions programs tell, and conditions on them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.errors import InvalidRelease
from changeover.tools.version import parse_version, require_condition, satisfies


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("Python 3.11.2\n", "3.11.2"),
        ("v20.20.2\n", "20.20.2"),
        ("git version 2.39.5\n", "2.39.5"),
        ("pg_dump (PostgreSQL) 15.12 (Debian 15.12-0+deb12u2)", "15.12"),
        ("curl 7.88.1 (x86_64-pc-linux-gnu)", "7.88.1"),
        ("no number here", ""),
    ],
)
def test_the_first_version_in_an_output_is_read(output: str, version: str) -> None:
    assert parse_version(output) == version


@pytest.mark.parametrize(
    ("version", "condition", "met"),
    [
        ("3.11.2", ">=3.8,<3.12", True),
        ("3.12.0", ">=3.8,<3.12", False),
        ("20.20.2", "20", True),
        ("20.20.2", "2", False),
        ("16.15.1", "==16.15.1", True),
        ("3.8", "==3.8.0", True),
        ("3.9", "!=3.9", False),
        ("10.0", ">9.9", True),
        ("", ">=1", False),
        ("1.0", "", True),
    ],
)
def test_a_condition_is_met_by_numbers(version: str, condition: str, met: bool) -> None:
    assert satisfies(version, condition) is met


@pytest.mark.parametrize("condition", ["new", ">=", "~=3.8", ">=3.8 <4"])
def test_what_is_no_condition_is_refused(condition: str) -> None:
    with pytest.raises(InvalidRelease, match="is no condition"):
        require_condition(condition)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_breaks_it(output: str, condition: str) -> None:
    assert satisfies(parse_version(output), condition) in (True, False)
