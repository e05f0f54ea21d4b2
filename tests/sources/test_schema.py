from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from changeover.sources.yamltree import parse_tree, read_tree
from tests.sources.samples import SHOP

ROOT = Path(__file__).parent.parent.parent


def validator(name: str) -> Any:
    schema = json.loads((ROOT / "schema" / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_published_schemas_are_those_of_the_code() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "generate", "--check"], capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("guide", sorted(Path("guides").glob("*/*/release.yaml")), ids=str)
def test_the_releases_of_this_project_fit_the_schema(guide: Path) -> None:
    assert [e.message for e in validator("release").iter_errors(read_tree(guide).value)] == []


def test_the_schema_accepts_short_forms_and_refuses_unknown_keys() -> None:
    good = parse_tree(SHOP + "stops: ['2.0']\nprocedures: {p: [{id: a, use: x, on: web}]}\n", "f")
    bad = parse_tree(SHOP + "stepz: []\n", "f")

    assert validator("release").is_valid(good.value)
    assert not validator("release").is_valid(bad.value)
