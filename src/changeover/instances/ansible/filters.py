"""The filters and tests of Ansible that variables of environments use, beside Jinja's own."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

import jinja2
import yaml

from changeover.errors import InvalidInput
from changeover.instances.ansible.varfile import documents

_TRUE = frozenset(("yes", "on", "1", "true"))


class TextForGood(str):
    """Text that no Ansible reads as a list or a mapping, although it looks like one."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes text that only looks special as plain text."""


_Dumper.add_multi_representer(str, lambda dumper, value: dumper.represent_str(str(value)))


def to_bool(value: Any) -> Any:
    """Read `yes`, `on`, `1` and `true` as true, as Ansible's `bool` does."""
    if value is None or isinstance(value, bool):
        return value
    return str(value).lower() in _TRUE


def _to_json(value: Any, **options: Any) -> str:
    return TextForGood(json.dumps(_plain(value), **({"ensure_ascii": False} | options)))


def _to_nice_json(value: Any, indent: int = 4, sort_keys: bool = True, **_: Any) -> str:
    text = json.dumps(
        _plain(value), indent=indent, sort_keys=sort_keys, separators=(",", ": "),
        ensure_ascii=False,
    )  # fmt: skip
    return TextForGood(text)


def _to_yaml(value: Any, **options: Any) -> str:
    return TextForGood(yaml.dump(_plain(value), Dumper=_Dumper, allow_unicode=True, **options))


def _to_nice_yaml(value: Any, indent: int = 4, **options: Any) -> str:
    return _to_yaml(value, indent=indent, default_flow_style=False, **options)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def _mandatory(value: Any, message: str = "") -> Any:
    if isinstance(value, jinja2.Undefined):
        if message:
            raise InvalidInput(message, "define it")
        str(value)
    return value


def _ternary(value: Any, yes: Any, no: Any, none: Any = None) -> Any:
    if value is None and none is not None:
        return none
    return yes if to_bool(value) else no


def _combine(*mappings: Any, recursive: bool = False, **_: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for mapping in mappings:
        for each in mapping if isinstance(mapping, list) else [mapping]:
            found = merged(found, each) if recursive else {**found, **each}
    return found


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Merge mappings at every level; the second one counts more."""
    found = dict(one)
    for name, value in other.items():
        both = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = merged(found[name], value) if both else value
    return found


def _regex_search(text: Any, pattern: str, *groups: str) -> Any:
    found = re.search(pattern, str(text))
    if not found:
        return None
    names = [int(g[1:]) if g[1:].isdigit() else g[2:].rstrip(">") for g in groups]
    return [found.group(name) for name in names] if names else found.group()


def _hash(text: Any, kind: str = "sha1") -> str:
    return hashlib.new(kind, str(text).encode(), usedforsecurity=False).hexdigest()


def _flatten(items: Any, levels: int | None = None) -> list[Any]:
    found: list[Any] = []
    for item in items:
        deeper = isinstance(item, list | tuple) and (levels is None or levels > 0)
        found += _flatten(item, None if levels is None else levels - 1) if deeper else [item]
    return found


def _urlsplit(url: Any, part: str = "") -> Any:
    split = urlsplit(str(url))
    known = {
        "scheme": split.scheme, "netloc": split.netloc, "path": split.path, "query": split.query,
        "fragment": split.fragment, "username": split.username, "password": split.password,
        "hostname": split.hostname, "port": split.port,
    }  # fmt: skip
    return known[part] if part else known


def _unique(items: Any) -> list[Any]:
    found: list[Any] = []
    for item in items:
        found += [] if item in found else [item]
    return found


def _items2dict(items: Any, key_name: str = "key", value_name: str = "value") -> dict[Any, Any]:
    return {item[key_name]: item[value_name] for item in items}


FILTERS: Mapping[str, Callable[..., Any]] = {
    "b64decode": lambda value: base64.b64decode(str(value)).decode(),
    "b64encode": lambda value: base64.b64encode(str(value).encode()).decode(),
    "basename": lambda value: PurePath(str(value)).name,
    "bool": to_bool,
    "combine": _combine,
    "dict2items": lambda value: [{"key": k, "value": v} for k, v in value.items()],
    "difference": lambda one, other: _unique([i for i in one if i not in other]),
    "dirname": lambda value: os.path.dirname(str(value)),  # noqa: PTH120 - keeps what pathlib drops
    "expanduser": lambda value: os.path.expanduser(str(value)),  # noqa: PTH111 - keeps what is written
    "flatten": _flatten,
    "from_json": lambda value: json.loads(str(value)),
    "from_yaml": lambda value: next(documents(str(value), "from_yaml"), None),
    "hash": _hash,
    "intersect": lambda one, other: _unique([i for i in one if i in other]),
    "items2dict": _items2dict,
    "mandatory": _mandatory,
    "md5": lambda value: _hash(value, "md5"),
    "path_join": lambda parts: os.path.join(*([parts] if isinstance(parts, str) else parts)),  # noqa: PTH118 - text, not a path here
    "quote": lambda value: shlex.quote("" if value is None else str(value)),
    "realpath": lambda value: os.path.realpath(str(value)),
    "regex_escape": lambda value: re.escape(str(value)),
    "regex_findall": lambda text, pattern: re.findall(pattern, str(text)),
    "regex_replace": lambda text, pattern, new="": re.sub(pattern, new, str(text)),
    "regex_search": _regex_search,
    "sha1": _hash,
    "string": TextForGood,
    "split": lambda text, by=None: str(text).split(by),
    "splitext": lambda value: os.path.splitext(str(value)),  # noqa: PTH122 - text, not a path here
    "symmetric_difference": lambda a, b: _unique([i for i in [*a, *b] if (i in a) != (i in b)]),
    "ternary": _ternary,
    "to_json": _to_json,
    "to_nice_json": _to_nice_json,
    "to_nice_yaml": _to_nice_yaml,
    "to_yaml": _to_yaml,
    "union": lambda one, other: _unique([*one, *other]),
    "unique": _unique,
    "urlsplit": _urlsplit,
    "zip": lambda *lists: [list(group) for group in zip(*lists, strict=False)],
}
"""Beside Jinja's own; text about files is about this machine's, as it is in Ansible."""

TESTS: Mapping[str, Callable[..., bool]] = {
    "contains": lambda items, item: item in items,
    "directory": lambda path: os.path.isdir(str(path)),  # noqa: PTH112 - text, not a path here
    "exists": lambda path: os.path.exists(str(path)),  # noqa: PTH110 - text, not a path here
    "falsy": lambda value, convert_bool=False: not (to_bool(value) if convert_bool else value),
    "file": lambda path: os.path.isfile(str(path)),  # noqa: PTH113 - text, not a path here
    "match": lambda text, pattern: bool(re.match(pattern, str(text))),
    "regex": lambda text, pattern: bool(re.search(pattern, str(text))),
    "search": lambda text, pattern: bool(re.search(pattern, str(text))),
    "subset": lambda one, other: all(item in other for item in one),
    "superset": lambda one, other: all(item in one for item in other),
    "truthy": lambda value, convert_bool=False: bool(to_bool(value) if convert_bool else value),
}
