"""The laws, on generated documents of every format and on the cases."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from changeover.merge import merge
from tests.merge import laws
from tests.merge.documents import Maker, write

CASES = sorted((Path(__file__).parent / "cases").rglob("*.toml"))
SEEDS = st.integers(0, 2**40)
QUICK = settings(max_examples=60, deadline=None, derandomize=True,
                 suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
LONG = settings(max_examples=10_000, deadline=None, database=None,
                suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
PER_FORMAT = pytest.mark.parametrize("form", laws.FORMS)


def three_texts(form: str, seed: int) -> tuple[str, str, str]:
    maker = Maker(seed, depth=laws.DEPTH.get(form, 0), tables=form in ("yaml", "toml", "json"))
    document = maker.document()
    ours = maker.edited(document, maker.random.randrange(1, 7))
    theirs = maker.edited(document, maker.random.randrange(1, 7))
    return write(document, form), write(ours, form), write(theirs, form)


def keep_every_law(form: str, seed: int) -> None:
    base, ours, theirs = three_texts(form, seed)
    laws.identities(form, base, ours)
    laws.identities(form, base, theirs)
    outcome = laws.nothing_lost(form, base, ours, theirs)
    laws.comments_survive(form, base, ours, theirs, outcome)
    laws.again_changes_nothing(form, base, theirs, outcome)
    laws.swapped_conflicts_alike(form, base, ours, theirs, outcome)


@PER_FORMAT
@QUICK
@given(seed=SEEDS)
def test_every_law_holds_for_generated_documents(form: str, seed: int) -> None:
    keep_every_law(form, seed)


@pytest.mark.fuzz
@PER_FORMAT
@LONG
@given(seed=SEEDS)
def test_every_law_holds_for_ten_thousand_documents(form: str, seed: int) -> None:
    keep_every_law(form, seed)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_side_that_is_the_base_gives_way_byte_for_byte(path: Path) -> None:
    case = tomllib.loads(path.read_text())
    base, ours, theirs = (case[side] for side in ("base", "ours", "theirs"))
    form = merge(base.encode(), ours.encode(), theirs.encode(), name=case["name"]).format

    laws.identities(form, base, ours)
    laws.identities(form, base, theirs)
