from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.errors import InvalidInput
from changeover.sources.versions import is_version, version_key, version_range

ASCENDING = [
    "1.0~rc1", "1.0-dev", "1.0-alpha", "1.0-beta2", "1.0-beta10", "1.0-rc", "1.0rc1", "1.0-rc.2",
    "1.0", "1.0-1", "1.0-2", "1.0-p1", "1.0.1", "v1.2", "1.10", "24.9", "24.10-rc1", "24.10",
    "2024-10-05", "2024-11-01", "1:0.1",
]  # fmt: skip


def test_versions_are_ordered_as_people_mean_them() -> None:
    assert sorted(ASCENDING, key=version_key) == ASCENDING
    assert len({version_key(v) for v in ASCENDING}) == len(ASCENDING)


@pytest.mark.parametrize(
    ("one", "other"), [("1", "1.0.0"), ("v4.3", "4.3"), ("4.3+build7", "4.3"), ("4.3-final", "4.3")]
)
def test_some_spellings_are_one_version(one: str, other: str) -> None:
    assert version_key(one) == version_key(other)


@pytest.mark.parametrize("text", ["", "main", "feature/x", "1.0 beta!", "1..2", "9" * 40, "-1"])
def test_what_is_no_version_is_refused(text: str) -> None:
    assert not is_version(text)
    with pytest.raises(InvalidInput, match="is not a version"):
        version_key(text)


INSIDE = {
    ">=4.3,<4.4": (["4.3", "4.3.9", "4.3.0-1"], ["4.2.9", "4.4", "4.4-rc1", ""]),
    "<4.4-rc2": (["4.4-rc1", "4.3"], ["4.4-rc2", "4.4"]),
    ">4.3": (["4.3.1", "4.3-p1"], ["4.3", "4.3.0", "4.3-rc1"]),
    "<=4.3": (["4.3", "4.3-rc1"], ["4.3.1"]),
    "4.3.*": (["4.3", "4.3.7", "4.3-rc1"], ["4.4", "4.2"]),
    "*": (["0", "99-rc1"], [""]),
    "none": ([""], ["1"]),
    "none || >=2": (["", "2", "3"], ["1"]),
    "": (["", "1"], []),
    "4.3": (["4.3.0"], ["4.3.1"]),
    "!=4.3,>=4": (["4.2", "4.4"], ["4.3", "3"]),
    "~>4.3.1": (["4.3.1", "4.3.9"], ["4.4", "4.3.0"]),
    "^4.3": (["4.3", "4.9"], ["5.0", "4.2"]),
    ">=5,<4": ([], ["4", "5", "4.5"]),
}


@pytest.mark.parametrize("text", INSIDE)
def test_a_range_holds_what_it_says(text: str) -> None:
    inside, outside = INSIDE[text]
    wanted = version_range(text)

    assert [v for v in inside if v not in wanted] == []
    assert [v for v in outside if v in wanted] == []


@pytest.mark.parametrize("text", [">=", ">=x", "4.3,", "||", ">4.*", "=>4", "4 5"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a range"):
        version_range(text)


VERSIONS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,2}){0,3}(-(rc|beta|p)?[0-9]{0,2})?", fullmatch=True)


@given(VERSIONS, VERSIONS)
def test_ranges_and_order_agree(one: str, other: str) -> None:
    if not (is_version(one) and is_version(other)):
        return
    assert (one in version_range(f">={other}")) == (version_key(one) >= version_key(other))
    assert (one in version_range(f"<={other}")) == (version_key(one) <= version_key(other))
    assert (one in version_range(f">{other}")) == (version_key(one) > version_key(other))
