"""The laws every merge has to keep, as functions that fail with what they found."""

from __future__ import annotations

import re

from changeover.merge.catalogue import load
from changeover.merge.engine import merge_texts
from changeover.merge.tree import Value
from changeover.merge.verdict import Merged, Told

TOLD = Told()
DEPTH = {"yaml": 2, "toml": 2, "json": 2, "nginx": 2, "ini": 1, "systemd": 1, "sshd": 1,
         "blocks": 2}  # fmt: skip
FORMS = ("yaml", "toml", "json", "nginx", "ini", "systemd", "sshd", "dotenv", "directives",
         "blocks")  # fmt: skip


def merged(form: str, base: str, ours: str, theirs: str, *, whole: bool = True) -> Merged:
    return merge_texts(load(form), (base, ours, theirs), TOLD, whole=whole)


def text(outcome: Merged) -> str:
    return outcome.text.decode("utf-8", "surrogateescape")


def identities(form: str, base: str, other: str) -> None:
    """b/b/t is t, b/o/b is o, b/x/x is x: with the whole-file shortcut switched off."""
    for ours, theirs, expected in (
        (base, other, other),
        (other, base, other),
        (other, other, other),
    ):
        outcome = merged(form, base, ours, theirs, whole=False)
        assert text(outcome) == expected, (form, outcome.conflicts)
        assert not outcome.conflicts


def settings(value: Value | None, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], object]:
    """Flatten a value: an oracle of its own, that knows maps, rows by name and sets of words."""
    if isinstance(value, dict):
        found: dict[tuple[str, ...], object] = {}
        for key, inner in value.items():
            found.update(settings(inner, (*path, key)))
        return found
    if isinstance(value, list):
        found = {}
        for inner in value:
            name = inner.get("name") if isinstance(inner, dict) else None
            word = str(name) if name is not None else str(inner)
            found.update(settings(inner, (*path, word)) if name else {(*path, word): "there"})
        return found
    return {path: value}


def nothing_lost(form: str, base: str, ours: str, theirs: str) -> Merged:
    """Every change is in the result or within a reported conflict, and nothing else changed."""
    outcome = merged(form, base, ours, theirs)
    load_values = load(form).values
    old, mine, new, got = (
        settings(load_values(one)) for one in (base, ours, theirs, text(outcome))
    )
    for path in {*old, *mine, *new, *got}:
        b, o, t, r = (side.get(path) for side in (old, mine, new, got))
        wanted = t if o == b else o if t in (b, o) else "conflict"
        if r != wanted:
            assert _reported(path, outcome), (form, path, (b, o, t, r), outcome.conflicts)
    return outcome


def _reported(path: tuple[str, ...], outcome: Merged) -> bool:
    shown = ".".join(path)
    paths = [conflict.path.replace('"', "") for conflict in outcome.conflicts]
    return any(
        shown == one or shown.startswith(one + ".") or one.startswith(shown + ".")
        or one == "(file)" for one in paths
    )  # fmt: skip


def comments_survive(form: str, base: str, ours: str, theirs: str, outcome: Merged) -> None:
    """Comments added on either side are in the result, and none is there twice."""
    old, mine, new, got = (_tags(one) for one in (base, ours, theirs, text(outcome)))
    kept_local = any(c.reason for c in outcome.conflicts)
    wanted = (mine - old) if kept_local else (mine - old) | (new - old)
    noted = _tags(" ".join(note.text for note in outcome.notes))
    missing = {tag for tag in wanted - got - noted if tag.startswith("tag")}
    if not outcome.conflicts:
        assert not missing, (form, missing)


def _tags(one: str) -> set[str]:
    return set(re.findall(r"(?:tag|tail)\d+", one))


def again_changes_nothing(form: str, base: str, theirs: str, outcome: Merged) -> None:
    """Merging the result again is the result."""
    if outcome.conflicts:
        return
    again = merged(form, base, text(outcome), theirs)
    mine, yours = text(again), text(outcome)
    if any("stays" in note.text for note in outcome.notes):
        # A remark kept from a removed entry may change which blank lines still meet.
        mine, yours = (re.sub(r"\n+", "\n", one) for one in (mine, yours))
    assert mine == yours, form
    assert not again.conflicts


def swapped_conflicts_alike(form: str, base: str, ours: str, theirs: str, outcome: Merged) -> None:
    """Ours and theirs swapped conflict in the same places."""
    swapped = merged(form, base, theirs, ours)
    assert {c.path for c in swapped.conflicts} == {c.path for c in outcome.conflicts}, form
