"""Templates that are not templates, and names in them that nothing defines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import meta, nodes

from changeover.errors import InvalidInput
from changeover.model.problem import Problem, suggestion
from changeover.model.release import Where
from changeover.sources.bundle import bundle_text
from changeover.sources.expansion import PlacedStep
from changeover.sources.manifest_build import Manifest
from changeover.sources.scope import FIXED, SCOPE
from changeover.sources.template import environment, is_template, shortened
from changeover.sources.yamltree import Place, Tree

_ENVIRONMENT = environment()
_FUNCTIONS = frozenset(("range", "dict", "lipsum", "cycler", "joiner", "namespace"))


@dataclass(frozen=True)
class Names:
    """What templates of a step can say beside what every instance has."""

    inputs: frozenset[str]
    params: frozenset[str] | None = None
    """Parameters of the procedure; None outside procedures."""

    def known(self, owner: str) -> frozenset[str] | None:
        """Return the attributes of a name; None where only an instance can tell."""
        if owner == "params":
            return self.params or frozenset()
        return self.inputs if owner == "inputs" else FIXED.get(owner)


def template_problems(
    manifest: Manifest, steps: list[PlacedStep], names: Names
) -> Iterator[Problem]:
    """Report what is wrong with every template of a release, in its files too."""
    for placed in steps:
        inside = replace(names, params=_params(placed))
        yield from value_problems(placed.step.with_, placed.tree, (*placed.place, "with"), inside)
        yield from value_problems(placed.step.when, placed.tree, (*placed.place, "when"), names)
        for depth, given in enumerate(placed.step.params):
            outer = placed.step.params[depth - 1] if depth else {}
            around = replace(names, params=frozenset(outer))
            yield from value_problems(dict(given), placed.tree, placed.place, around)
        yield from _file(manifest, placed.step.with_.get("template"), inside)
    for position, check in enumerate(manifest.written.checks):
        place: Place = ("checks", position)
        yield from value_problems(check.with_, manifest.tree, (*place, "with"), names)
    for word in ("probe", "configs", "risks"):
        if isinstance(manifest.tree.value.get(word), dict | list):
            yield from value_problems(manifest.tree.value[word], manifest.tree, (word,), names)
    images = manifest.images.tree
    yield from value_problems(images.value.get("images"), images, ("images",), names)


@dataclass(frozen=True)
class _Said:
    """What a template says, once it is known to be one."""

    names: tuple[tuple[str, int], ...]
    """Names that nothing in it defines, each with its line."""
    attributes: tuple[tuple[str, str, int], ...]
    """Attributes of such names."""
    strange: tuple[tuple[str, str, int], ...]
    """Filters and tests that do not exist: what, and the nearest one."""


def text_template_problems(text: str, where: Where, names: Names) -> Iterator[Problem]:
    """Report what is wrong with one template; lines inside it count from where it stands."""
    many = "\n" in text
    try:
        said = _read(text)
    except jinja2.TemplateSyntaxError as error:
        place = _below(where, error.lineno) if many else where
        remedy = "write {{ name }} for a value, {% if %} ... {% endif %} for a choice"
        yield Problem(f"{shortened(text)} is not a template: {error.message}", place, remedy)
        return
    for message, remedy, line in (*said.strange, *_undefined(said, names)):
        yield Problem(message, _below(where, line) if many else where, remedy)


def _params(placed: PlacedStep) -> frozenset[str] | None:
    return frozenset(placed.step.params[-1]) if placed.step.params else None


def value_problems(value: Any, tree: Tree, place: Place, names: Names) -> Iterator[Problem]:
    """Report what is wrong with every template inside a value of a file."""
    if isinstance(value, str) and is_template(value):
        yield from text_template_problems(value, tree.where(place), names)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from value_problems(item, tree, (*place, str(key)), names)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from value_problems(item, tree, (*place, position), names)


def _file(manifest: Manifest, name: Any, names: Names) -> Iterator[Problem]:
    if not isinstance(name, str) or is_template(name):
        return
    try:
        text = bundle_text(manifest.folder, name)
    except InvalidInput:
        return
    shown = str(manifest.folder / name)
    yield from text_template_problems(text, Where(shown, 1, 1), names)


@lru_cache(maxsize=4096)
def _read(text: str) -> _Said:
    tree = _ENVIRONMENT.parse(text)
    strange = tuple(_strange(tree))
    if strange:
        return _Said((), (), strange)
    free = meta.find_undeclared_variables(tree) - _FUNCTIONS
    guarded = _guarded(tree)
    names = {
        (n.name, n.lineno)
        for n in tree.find_all(nodes.Name)
        if n.name in free and id(n) not in guarded
    }
    attributes = {
        (owner, word, node.lineno)
        for owner, word, node in _attributes(tree)
        if owner in free and id(node) not in guarded
    }
    return _Said(tuple(sorted(names)), tuple(sorted(attributes)), ())


def _strange(tree: nodes.Template) -> Iterator[tuple[str, str, int]]:
    known: dict[str, Iterable[str]] = {"filter": _ENVIRONMENT.filters, "test": _ENVIRONMENT.tests}
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        kind = "filter" if isinstance(node, nodes.Filter) else "test"
        if node.name not in known[kind]:
            remedy = suggestion(node.name, known[kind])
            yield f"no {kind} is called `{node.name}`", remedy, node.lineno


def _undefined(said: _Said, names: Names) -> Iterator[tuple[str, str, int]]:
    for name, line in said.names:
        if name not in SCOPE:
            yield f"nothing defines `{name}`", suggestion(name, SCOPE), line
    for owner, word, line in said.attributes:
        known = names.known(owner)
        if known is not None and word not in known:
            remedy = suggestion(word, known) or f"`{owner}` has nothing here"
            yield f"nothing defines `{owner}.{word}`", remedy, line


def _attributes(tree: nodes.Template) -> Iterator[tuple[str, str, nodes.Node]]:
    for get in tree.find_all(nodes.Getattr):
        if isinstance(get.node, nodes.Name):
            yield get.node.name, get.attr, get
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.node, nodes.Name) and isinstance(item.arg, nodes.Const):
            yield item.node.name, str(item.arg.value), item


def _guarded(tree: nodes.Template) -> set[int]:
    """Return the nodes whose absence the template deals with itself."""
    found: set[int] = set()
    for test in tree.find_all(nodes.Test):
        if test.name in ("defined", "undefined"):
            found |= {id(test.node), *map(id, test.node.find_all(nodes.Node))}
    for use in tree.find_all(nodes.Filter):
        if use.name in ("default", "d") and use.node is not None:
            found |= {id(use.node), *map(id, use.node.find_all(nodes.Node))}
    return found


def _below(where: Where, line: int) -> Where:
    return replace(where, line=where.line + line - 1, column=1 if line > 1 else where.column)
