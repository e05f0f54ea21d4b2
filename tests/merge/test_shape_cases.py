"""Files that change shape, as data: old files in, new files out, with what has to be asked."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from changeover.merge.following import followed
from changeover.merge.reducing import reduced
from changeover.merge.shapes import gathered, reshaped
from changeover.merge.shares import New, Old
from changeover.merge.verdict import Merged

CASES = Path(__file__).parent / "shapes"
RESHAPED = sorted(p for p in CASES.rglob("*.toml") if p.parent.name not in ("override", "follow"))


def told(merged: Merged) -> list[str]:
    return [f"{conflict.path}: {conflict.kind}" for conflict in merged.conflicts]


@pytest.mark.parametrize("path", RESHAPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_old_files_become_new_ones_as_written(path: Path) -> None:
    case = tomllib.loads(path.read_text())
    news = {new["name"]: _new(new) for new in case["new"]}
    olds = [_old(old, tuple(news)) for old in case["old"]]

    for new in case["new"]:
        if not any(new["name"] in old.parts for old in olds):
            continue
        found = gathered(olds, news, new["name"], case.get("homes"))
        merged = reshaped(found, news[new["name"]], case.get("answers"))

        assert merged.text.decode() == new["expected"], merged.conflicts
        assert told(merged) == new.get("conflicts", [])
        assert [note.text for note in merged.notes] == new.get("notes", [])


def _new(written: dict[str, Any]) -> New:
    renamed = written.get("renamed", {})
    return New(written["name"], written["theirs"].encode(), renamed=renamed)


def _old(written: dict[str, Any], all_parts: tuple[str, ...]) -> Old:
    parts = tuple(written.get("parts", all_parts))
    return Old(written["name"], written["base"].encode(), written["ours"].encode(), parts,
               written.get("stays", ""))  # fmt: skip


@pytest.mark.parametrize("path", sorted((CASES / "override").glob("*.toml")), ids=lambda p: p.stem)
def test_an_edited_file_is_reduced_as_written(path: Path) -> None:
    case = tomllib.loads(path.read_text())

    merged = reduced(case["ours"].encode(), case["theirs"].encode(), name=case["name"],
                     answers=case.get("answers"))  # fmt: skip

    assert merged.text.decode() == case["expected"]
    assert told(merged) == case.get("conflicts", [])


@pytest.mark.parametrize("path", sorted((CASES / "follow").glob("*.toml")), ids=lambda p: p.stem)
def test_an_override_follows_a_new_reference_as_written(path: Path) -> None:
    case = tomllib.loads(path.read_text())
    texts = [case[side].encode() for side in ("base", "over", "theirs")]

    merged = followed(*texts, name=case["name"], answers=case.get("answers"))

    assert merged.text.decode() == case["expected"]
    assert told(merged) == case.get("conflicts", [])
