"""Every trap is a case: data in, the expected text, conflicts and notes out."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from changeover.merge import merge

CASES = sorted((Path(__file__).parent / "cases").rglob("*.toml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_case_merges_as_written(path: Path) -> None:
    case = tomllib.loads(path.read_text())
    texts = [case[side].encode() for side in ("base", "ours", "theirs")]

    merged = merge(
        *texts, name=case["name"], identity=case.get("identity"), renamed=case.get("renamed"),
        required=case.get("required", ()), answers=case.get("answers"),
    )  # fmt: skip

    assert merged.text.decode() == case["expected"], (merged.conflicts, merged.notes)
    assert [f"{c.path}: {c.kind}" for c in merged.conflicts] == case.get("conflicts", [])
    shown = " ".join(f"{note.path} {note.text}" for note in merged.notes)
    assert all(text in shown for text in case.get("notes", [])), shown
    if path.parent.name != "text":
        assert merged.format == path.parent.name
