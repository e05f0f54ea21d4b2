"""What a vendor changed between two references: cases as data."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from changeover.merge.compare import Hints, compare, template_text

CASES = sorted((Path(__file__).parent / "comparisons").glob("*.toml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_references_are_compared_as_written(path: Path) -> None:
    case = tomllib.loads(path.read_text())
    hints = Hints(case["name"], renamed=case.get("renamed"), secrets=case.get("secrets", ()),
                  identity=case.get("identity"))  # fmt: skip

    found = compare(case["old"].encode(), case["new"].encode(), hints)

    changes = [[c.kind, c.old_path, c.path, c.old, c.new] for c in found.changes]
    wanted = [[None if word == "(none)" else word for word in row] for row in case["changes"]]
    assert changes == wanted
    assert list(found.comments_added) == case.get("comments_added", [])
    assert list(found.comments_removed) == case.get("comments_removed", [])
    assert case.get("note", "") in found.note
    assert bool(found.note) == ("note" in case)


def test_equal_references_have_nothing_to_tell() -> None:
    assert not compare(b"a = = b", b"a = = b", Hints("x.toml"))


def test_expressions_of_templates_stand_for_themselves() -> None:
    text = "{% if vars.tls %}\nport = {{ vars.port }}\n{% endif %}\n{# why #}\nname = {{- x -}}\n"

    assert template_text(text) == "port = <vars.port>\nname = <x>\n"
