"""What is wrong in a manifest beside its steps: names that fit nothing, contradictions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from changeover.errors import InvalidInput
from changeover.model.problem import Problem, suggestion
from changeover.sources.bundle import bundle_text
from changeover.sources.manifest import InputWritten
from changeover.sources.manifest_build import Manifest
from changeover.sources.versions import version_key, version_range
from changeover.sources.yamltree import Place, Tree


def manifest_problems(manifest: Manifest) -> Iterator[Problem]:
    """Report what the values of a manifest contradict."""
    yield from _identity(manifest)
    yield from _doubles(manifest)
    yield from _checked_procedures(manifest)
    yield from _notes(manifest)
    for name, written in manifest.written.inputs.items():
        yield from _input(name, written, manifest.tree)
    yield from _conditions(manifest)


def _identity(manifest: Manifest) -> Iterator[Problem]:
    written, tree = manifest.written, manifest.tree
    if written.deploys and written.deploys not in written.inputs:
        remedy = suggestion(written.deploys, written.inputs) or "define it under `inputs:`"
        where = tree.where(("deploys",))
        yield Problem(f"deploys: no input is called `{written.deploys}`", where, remedy)
    if written.requires:
        yield from _requires(written.requires, tree)
    for position, stop in enumerate(written.stops):
        if version_key(stop.version) >= version_key(written.version):
            where = tree.where(("stops", position))
            yield Problem(f"the stop {stop.version} is not before {written.version}", where,
                          "a stop is an older release")  # fmt: skip
    for method in written.probe.get("by_method", {}):
        if method not in written.methods:
            where = tree.where(("probe", method), key=True)
            yield Problem(f"`{method}` is not a method of this release", where,
                          suggestion(method, written.methods))  # fmt: skip


def _checked_procedures(manifest: Manifest) -> Iterator[Problem]:
    known = [*manifest.procedures, "upgrade"]
    for position, check in enumerate(manifest.written.checks):
        for name in (n for n in check.for_ if n not in known):
            where = manifest.tree.where(("checks", position, "for"))
            remedy = suggestion(name, known) or "define it under `procedures:`"
            message = f"check {check.id}: for: no procedure is called `{name}`"
            yield Problem(message, where, remedy)


def _requires(requires: str, tree: Tree) -> Iterator[Problem]:
    found = re.fullmatch(r"changeover\s*(.*)", requires.strip())
    try:
        if found:
            version_range(found[1])
            return
        why = f"`{requires}` does not name changeover"
    except InvalidInput as error:
        why = error.message
    yield Problem(f"requires: {why}", tree.where(("requires",)), 'write "changeover >=0.1"')


def _doubles(manifest: Manifest) -> Iterator[Problem]:
    upgrade = [(p.step.id, p.tree, p.place) for p in manifest.steps]
    yield from _twice("steps", upgrade)
    for name, steps in manifest.by_procedure.items():
        own = [(p.step.id, p.tree, p.place) for p in steps]
        yield from _twice(f"steps of {name}", own)
    tree = manifest.tree
    checks = [(c.id, tree, ("checks", i)) for i, c in enumerate(manifest.written.checks)]
    yield from _twice("checks", checks)
    risks = [(r.id or "", tree, ("risks", i)) for i, r in enumerate(manifest.written.risks)]
    yield from _twice("risks", [r for r in risks if r[0]])


def _twice(what: str, found: list[tuple[str, Tree, Any]]) -> Iterator[Problem]:
    many = {name for name, times in Counter(f[0] for f in found).items() if times > 1}
    seen: dict[str, str] = {}
    for name, tree, place in found:
        if name in seen:
            remedy = f"the other is at {seen[name]}; rename one, or give its `run:` an `id`"
            where = tree.where((*place, "id"))
            yield Problem(f"two {what} are called `{name}`", where, remedy)
        elif name in many:
            seen[name] = str(tree.where((*place, "id")))


def _notes(manifest: Manifest) -> Iterator[Problem]:
    notes: Mapping[str, str] = manifest.written.notes
    for said in notes.values():
        if said.endswith((".md", ".txt")) and "\n" not in said:
            try:
                bundle_text(manifest.folder, said)
            except InvalidInput as error:
                where = manifest.tree.where(("notes",))
                yield Problem(f"notes: {error.message}", where, error.remedy)


def _input(name: str, written: InputWritten, tree: Tree) -> Iterator[Problem]:
    place: Place = ("inputs", name)
    if (written.type == "choice") != bool(written.choices):
        message = "choices: and `type: choice` belong together"
        yield Problem(f"inputs.{name}: {message}", tree.where(place), "write both, or neither")
    if written.default is None:
        return
    wrong = _default(written)
    if wrong:
        where = tree.where((*place, "default"))
        yield Problem(f"inputs.{name}.default {wrong}", where, "correct it, or the type")


def _default(written: InputWritten) -> str:
    default, kinds = written.default, {"int": int, "bool": bool}
    wanted = kinds.get(written.type, str)
    if not isinstance(default, wanted) or (wanted is int and isinstance(default, bool)):
        return f"is not of type {written.type}"
    if written.choices and default not in written.choices:
        return f"is none of {', '.join(written.choices)}"
    if written.pattern and isinstance(default, str) and not re.fullmatch(written.pattern, default):
        return f"does not match {written.pattern}"
    return ""


def _conditions(manifest: Manifest) -> Iterator[Problem]:
    written = manifest.written
    words = {
        "method": written.methods,
        "edition": written.editions,
        "module": list(written.modules),
        "modules": list(written.modules),
    }
    known: dict[str, list[str]] = {word: names for word, names in words.items() if names}
    known["input"] = list(written.inputs)
    read = [manifest.tree, manifest.images.tree, *(p.tree for p in manifest.procedures.values())]
    trees = {id(t): t for t in read}
    for tree in trees.values():
        for place, condition in _whens(tree.value, ()):
            yield from _unknown(condition, place, tree, known)


def _whens(value: Any, place: Place) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield every condition, those inside others too."""
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _whens(item, (*place, position))
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        inside = (place and place[-1] in ("when", "not")) or _in_list_of_conditions(place)
        if key in ("when", "not") and isinstance(item, dict) and (key == "when" or inside):
            yield (*place, key), item
        if key not in ("with", "default"):
            yield from _whens(item, (*place, key))
    if _in_list_of_conditions(place):
        yield place, value


def _in_list_of_conditions(place: Place) -> bool:
    return len(place) > 1 and isinstance(place[-1], int) and place[-2] in ("any", "all")


def _unknown(
    condition: dict[str, Any], place: Place, tree: Tree, known: Mapping[str, list[str]]
) -> Iterator[Problem]:
    for word, names in known.items():
        wanted = condition.get(word, [])
        for name in [wanted] if isinstance(wanted, str) else wanted:
            if isinstance(name, str) and name not in names:
                where = tree.where((*place, word))
                message = f"when: this release has no {word.rstrip('s')} `{name}`"
                yield Problem(message, where, suggestion(name, names) or "define it in the release")
