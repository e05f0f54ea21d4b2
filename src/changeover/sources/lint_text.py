"""Texts that lack a language the release speaks elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from changeover.model.problem import WARNING, Problem
from changeover.sources.manifest_build import Manifest
from changeover.sources.yamltree import Place, Tree

TEXTS = frozenset(("title", "note", "approval", "text", "remedy", "ask", "withdrawn", "notes"))
_CLOSED = frozenset(("with", "default", "when", "configs", "waived", "modules", "probe"))


def text_problems(manifest: Manifest) -> Iterator[Problem]:
    """Report, for each language the release speaks, the texts that lack it."""
    trees = {id(t): t for t in [manifest.tree, *(p.tree for p in manifest.procedures.values())]}
    texts = [(t, *found) for t in trees.values() for found in _texts(t.value, ())]
    languages = {language for _, _, said in texts for language in said}
    for tree, place, said in texts:
        missing = sorted(languages - set(said))
        if missing and len(languages) > 1:
            yield _untranslated(tree, place, missing)


def _untranslated(tree: Tree, place: Place, missing: list[str]) -> Problem:
    message = f"`{place[-1]}` is not said in {', '.join(missing)}"
    remedy = f"add {missing[0]}: ..., or waive untranslated:{missing[0]}"
    return Problem(message, tree.where(place), remedy, WARNING, f"untranslated:{missing[0]}")


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, dict[str, str]]]:
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _texts(item, (*place, position))
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key in TEXTS and isinstance(item, str | dict):
            yield (*place, key), {"en": item} if isinstance(item, str) else item
        elif key not in _CLOSED:
            yield from _texts(item, (*place, key))
