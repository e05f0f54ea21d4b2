"""What is wrong with a guide's `ansible.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInput
from changeover.instances.ansible.jinja import syntax_trouble
from changeover.instances.ansible.recipe import RECIPE, RecipeWritten
from changeover.instances.written import EndpointWritten
from changeover.model.problem import Problem, suggestion
from changeover.sources.checked import checked
from changeover.sources.heading import read_heading
from changeover.sources.manifest_build import MANIFEST, read_manifest
from changeover.sources.yamltree import Place, Tree, read_tree

SECTIONS = ("vars", "inputs", "secrets", "endpoints")
"""Sections whose strings are templates over the environment's variables."""


def recipe_problems(folder: Path) -> list[Problem]:
    """Return all that is wrong with the file; nothing where a release has none."""
    path = folder / RECIPE
    if not path.is_file():
        return []
    try:
        tree = read_tree(path)
    except InvalidInput as error:
        return [Problem(error.message, remedy=error.remedy)]
    written, problems = checked(RecipeWritten, tree)
    if written is None:
        return problems
    return [*problems, *_templates(tree), *_inputs(written, tree, folder), *_endpoints(tree)]


def _templates(tree: Tree) -> Iterator[Problem]:
    for section in SECTIONS:
        for place, text in _strings((section,), tree.value.get(section)):
            trouble = syntax_trouble(text)
            if trouble:
                yield Problem(f"not a template: {trouble}", tree.where(place), "{{ name }}")


def _strings(place: Place, value: Any) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    pairs = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else pairs
    for key, item in items:
        yield from _strings((*place, key), item)


def _inputs(written: RecipeWritten, tree: Tree, folder: Path) -> Iterator[Problem]:
    try:
        read_heading(folder / MANIFEST)
        manifest, _ = read_manifest(folder, salvage=True)
    except InvalidInput:
        return
    known = manifest.written.inputs if manifest else {}
    for name in written.inputs:
        if name not in known:
            where = tree.where(("inputs", name), key=True)
            yield Problem(f"the release has no input `{name}`", where, suggestion(name, known))


def _endpoints(tree: Tree) -> Iterator[Problem]:
    known = EndpointWritten.model_fields
    for position, endpoint in enumerate(tree.value.get("endpoints") or ()):
        for key in endpoint:
            if key not in known:
                where = tree.where(("endpoints", position, key), key=True)
                yield Problem(f"unknown key `{key}`", where, suggestion(key, known))
