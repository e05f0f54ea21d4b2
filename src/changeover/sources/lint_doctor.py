"""What is wrong with `doctor.yaml`: its shape, its templates, patterns that are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from changeover.errors import InvalidInput
from changeover.model.problem import Problem
from changeover.sources.doctor import FILE, described_in
from changeover.sources.lint_templates import Names, value_problems
from changeover.sources.yamltree import Tree


def doctor_problems(folder: Path, names: Names) -> Iterator[Problem]:
    """Report all that is wrong with the file, if the release has one."""
    if not (folder / FILE).is_file():
        return
    try:
        described, problems, tree = described_in(folder, str(folder))
    except InvalidInput as error:
        yield Problem(error.message, remedy=error.remedy)
        return
    yield from problems
    inside = replace(names, params=frozenset(described.params))
    for kind, parts in tree.value.items() if isinstance(tree.value, dict) else ():
        known = names if kind == "params" else inside
        yield from value_problems(parts, tree, (kind,), known)
    yield from _patterns(tree)


def _patterns(tree: Tree) -> Iterator[Problem]:
    schemas = tree.value.get("schemas") if isinstance(tree.value, dict) else None
    for position, schema in enumerate(schemas if isinstance(schemas, list) else ()):
        pattern = schema.get("pattern", "") if isinstance(schema, dict) else ""
        where = tree.where(("schemas", position, "pattern"))
        try:
            groups = re.compile(str(pattern)).groups
        except re.error as error:
            yield Problem(f"pattern: no regular expression: {error}", where, "correct it")
            continue
        if groups != 1:
            remedy = "put brackets around the revision, and around nothing else"
            yield Problem(f"pattern: has {groups} groups, not one", where, remedy)
