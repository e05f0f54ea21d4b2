"""Filters of Ansible for lists and mappings."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jinja2

from changeover.errors import InvalidInput
from changeover.sources.bounds import ticked

_LISTS: Mapping[str, Callable[[list[Any], list[Any]], list[Any]]] = {
    "replace": lambda _old, new: new,
    "keep": lambda old, _new: old,
    "append": lambda old, new: old + new,
    "prepend": lambda old, new: new + old,
    "append_rp": lambda old, new: [i for i in old if i not in new] + new,
    "prepend_rp": lambda old, new: new + [i for i in old if i not in new],
}
"""How `combine` puts two lists together, by the word for it."""


def _combine(*mappings: Any, recursive: bool = False, list_merge: str = "replace") -> Any:
    if list_merge not in _LISTS:
        raise InvalidInput(f"combine: list_merge {list_merge}", f"one of: {', '.join(_LISTS)}")
    found: dict[str, Any] = {}
    for mapping in _flatten(mappings, levels=1):
        found = _merged(found, mapping, _LISTS[list_merge], recursive=recursive)
    return found


def _merged(
    one: Mapping[str, Any],
    other: Mapping[str, Any],
    lists: Callable[[list[Any], list[Any]], list[Any]],
    *,
    recursive: bool,
) -> dict[str, Any]:
    found = dict(one)
    for name, value in other.items():
        old = found.get(name)
        if recursive and isinstance(value, Mapping) and isinstance(old, Mapping):
            found[name] = _merged(old, value, lists, recursive=True)
        elif isinstance(value, list) and isinstance(old, list):
            found[name] = lists(old, value)
        else:
            found[name] = value
    return found


def _flatten(items: Any, levels: int | None = None, skip_nulls: bool = True) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if skip_nulls and item in (None, "None", "null"):
            continue
        deeper = isinstance(item, list | tuple) and (levels is None or levels > 0)
        below = None if levels is None else levels - 1
        found += _flatten(item, below, skip_nulls) if deeper else [item]
    return found


@jinja2.pass_environment
def _extract(environment: jinja2.Environment, key: Any, container: Any, further: Any = None) -> Any:
    keys = [key, *(further if isinstance(further, list) else [] if further is None else [further])]
    for each in keys:
        container = environment.getitem(container, each)
    return container


def _subelements(items: Any, path: str | list[str], skip_missing: bool = False) -> list[Any]:
    words = path.split(".") if isinstance(path, str) else path
    found = []
    for item in items.values() if isinstance(items, Mapping) else items:
        values = item
        for word in words:
            if word not in values:
                if not skip_missing:
                    raise InvalidInput(f"subelements: {word} is missing", "skip_missing=true")
                values = []
                break
            values = values[word]
        found += [(item, value) for value in values]
    return found


def _rekey(items: Any, key: str, duplicates: str = "error") -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for item in items.values() if isinstance(items, Mapping) else items:
        if item[key] in found and duplicates == "error":
            raise InvalidInput(f"rekey_on_member: {item[key]} is there twice",
                               "duplicates='overwrite'")  # fmt: skip
        found[item[key]] = item
    return found


def _unlike(items: Iterable[Any]) -> list[Any]:
    """Return every item once, in its order; upper and lower case are two."""
    found: list[Any] = []
    for item in items:
        found += [] if item in found else [item]
    return found


def _items2dict(items: Any, key_name: str = "key", value_name: str = "value") -> dict[Any, Any]:
    return {item[key_name]: item[value_name] for item in items}


def _dict2items(value: Any, key_name: str = "key", value_name: str = "value") -> list[Any]:
    return [{key_name: k, value_name: v} for k, v in value.items()]


def _random(
    end: Any, start: int | None = None, step: int | None = None, seed: Any = None
) -> Any:  # fmt: skip
    source = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311 - Ansible's own sequence
    if isinstance(end, int):
        return source.randrange(start or 0, end, step or 1)
    return source.choice(end)


def _shuffle(items: Iterable[Any], seed: Any = None) -> list[Any]:
    found = list(items)
    source = random.Random(seed) if seed else random.SystemRandom()  # noqa: S311 - Ansible's own sequence
    source.shuffle(found)
    return found


def _lists(function: Callable[..., Iterable[Sequence[Any]]]) -> Callable[..., list[list[Any]]]:
    """Have a function of itertools give lists, as they are once they are a variable."""
    return lambda *words, **named: [list(g) for g in ticked(function(*words, **named))]


FILTERS: Mapping[str, Callable[..., Any]] = {
    "combinations": _lists(itertools.combinations),
    "combine": _combine,
    "dict2items": _dict2items,
    "difference": lambda one, other: _unlike(i for i in one if i not in other),
    "extract": _extract,
    "flatten": _flatten,
    "intersect": lambda one, other: _unlike(i for i in one if i in other),
    "items2dict": _items2dict,
    "permutations": _lists(itertools.permutations),
    "product": _lists(itertools.product),
    "random": _random,
    "rekey_on_member": _rekey,
    "shuffle": _shuffle,
    "subelements": _subelements,
    "symmetric_difference": lambda a, b: _unlike(i for i in [*a, *b] if (i in a) != (i in b)),
    "union": lambda one, other: _unlike([*one, *other]),
    "zip": _lists(zip),
    "zip_longest": _lists(itertools.zip_longest),
}
"""`unique` is Jinja's own, there as here."""
