"""The filters of Ansible that variables of environments use, beside Jinja's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import jinja2
import yaml

from changeover.errors import InvalidInput
from changeover.instances.ansible import filters_list, filters_text
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
    return value == 1 or str(value).lower() in _TRUE


def _to_json(value: Any, **options: Any) -> str:
    return TextForGood(json.dumps(_plain(value), default=str, **options))


def _to_nice_json(value: Any, indent: int = 4, sort_keys: bool = True, **options: Any) -> str:
    wanted = options | {"indent": indent, "sort_keys": sort_keys, "separators": (",", ": ")}
    return _to_json(value, **wanted)


def _to_yaml(value: Any, **options: Any) -> str:
    wanted = {"default_flow_style": None, "allow_unicode": True} | options
    return TextForGood(yaml.dump(_plain(value), Dumper=_Dumper, **wanted))


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
    # Any text is true here, `false` as well: ask `| bool` first.
    return yes if value else no


FILTERS: Mapping[str, Callable[..., Any]] = {
    **filters_list.FILTERS,
    **filters_text.FILTERS,
    "bool": to_bool,
    "from_json": lambda value: json.loads(str(value)),
    "from_yaml": lambda value: next(documents(str(value), "from_yaml"), None),
    "from_yaml_all": lambda value: list(documents(str(value), "from_yaml_all")),
    "mandatory": _mandatory,
    "string": TextForGood,
    "ternary": _ternary,
    "to_json": _to_json,
    "to_nice_json": _to_nice_json,
    "to_nice_yaml": _to_nice_yaml,
    "to_yaml": _to_yaml,
}
"""Beside Jinja's own."""
