"""Laws of files that change shape: every edit lands once, and nothing is lost."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from changeover.merge.overriding import override
from changeover.merge.shapes import gathered, reshaped
from changeover.merge.shares import New, Old
from tests.merge.reshaping import PARTS, Settings, Story, read, story, written

DEPTHS = {"yaml": 3, "json": 3, "toml": 3, "ini": 1}
SEEDS = range(int(os.environ.get("CHANGEOVER_SHAPES", "120")))
NAMES = {"yaml": "x.yaml", "json": "x.json", "toml": "x.toml", "ini": "x.ini"}


def divided(form: str, found: Story) -> dict[str, Settings]:
    """Divide the file; every part has to be clean, and to be what its own library reads."""
    ending = NAMES[form].partition(".")[2]
    news = {p: New(f"{p}.{ending}", written(form, found.part(p)), form) for p in PARTS}
    news = {name: new for name, new in news.items() if new.theirs.strip() not in (b"", b"{}")}
    old = Old(NAMES[form], written(form, found.base), written(form, found.ours), tuple(news))
    results = {}
    for name, new in news.items():
        merged = reshaped(gathered([old], news, name), new)
        assert merged.conflicts == (), (name, merged.text)
        results[name] = read(form, merged.text)
    return results


@pytest.mark.parametrize("form", DEPTHS)
def test_every_edit_lands_once_where_the_reference_has_the_setting(form: str) -> None:
    for seed in SEEDS:
        found = story(seed, depth=DEPTHS[form])

        parts = divided(form, found)

        landed = Counter(path for part in parts.values() for path in part)
        assert all(count == 1 for count in landed.values()), (seed, landed)
        together = {path: value for part in parts.values() for path, value in part.items()}
        assert together == found.wanted, seed
        assert all(found.home[p] == name for name, part in parts.items() for p in part), seed


@pytest.mark.parametrize("form", DEPTHS)
def test_what_was_divided_and_is_joined_again_says_the_same(form: str) -> None:
    for seed in SEEDS:
        found = story(seed, depth=DEPTHS[form])
        bases = {p: {k: v for k, v in found.base.items() if found.home[k] == p} for p in PARTS}
        ours = {p: {k: v for k, v in found.ours.items() if found.home[k] == p} for p in PARTS}
        new = {"all": New(NAMES[form], written(form, found.theirs), form)}
        olds = [Old(p, written(form, bases[p]), written(form, ours[p]), ("all",)) for p in PARTS]

        merged = reshaped(gathered(olds, new, "all"), new["all"])

        assert merged.conflicts == (), (seed, merged)
        assert read(form, merged.text) == found.wanted, seed


@pytest.mark.parametrize("form", DEPTHS)
def test_reference_and_override_say_together_what_the_file_said(form: str) -> None:
    for seed in SEEDS:
        found = story(seed, depth=DEPTHS[form])
        ours = {**found.base, **found.ours}  # what is taken out has tests of its own
        texts = [written(form, settings) for settings in (found.base, ours)]

        over = override(texts[0], texts[1], name=NAMES[form], format=form)

        said = read(form, over.text) if over.text.strip() else {}
        assert {**found.base, **said} == ours, seed
        assert all(found.base.get(path) != value for path, value in said.items()), seed
        assert over.unsaid == ()
