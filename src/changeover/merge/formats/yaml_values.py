"""What YAML means: typed scalars, merge keys, aliases; and the check of results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import yaml as pyyaml

from changeover.merge.limits import MAX_DEPTH, MAX_NODES
from changeover.merge.tree import Key, Plain, Value
from changeover.merge.values import Meaning
from changeover.merge.verdict import Unreadable

_STANDARD = "tag:yaml.org,2002:"


class _Loader(getattr(pyyaml, "CSafeLoader", pyyaml.SafeLoader)):  # type: ignore[misc]  # which one, the machine decides
    """Leaves scalars untyped: what they mean is decided here, by their text."""

    def resolve(self, kind: object, value: object, implicit: object) -> str:
        """Return no tag of its own, or the one that makes a bare word a string."""
        return "!" if isinstance(implicit, tuple) and not implicit[0] else _STANDARD


# What YAML 1.1 or 1.2 does not take for a string: there quotes make another value.
_UNTYPED = re.compile(
    r"""(?:~|null|true|false|yes|no|on|off|y|n|=|<<|)\Z
    |[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-f_]+|[0-9][0-9_]*(?::[0-9]+)*)(?:\.[0-9_]*)?\Z
    |[-+]?(?:\.[0-9_]+|[0-9][0-9_]*\.?[0-9_]*)(?:e[-+]?[0-9]+)?\Z
    |[-+]?\.inf\Z|\.nan\Z
    |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[t ].*)?\Z""",
    re.VERBOSE | re.IGNORECASE,
)
_ORDERED = {"command", "entrypoint", "args", "cmd", "test", "script", "run", "steps", "tasks"}


@lru_cache(maxsize=8192)
def scalar_value(text: str, style: str | None, tag: str | None) -> Value:
    """Return a scalar's value: a string, or a `Plain` where it is something else."""
    if tag is not None and tag not in ("!", "tag:yaml.org,2002:str"):
        return Plain(tag, text)
    plain = style in (None, "", ":") and tag is None
    if not plain or not _UNTYPED.match(text):
        return text
    lowered = text.lower()
    if lowered in ("", "~", "null"):
        return Plain("null", "")
    return Plain("plain", lowered if lowered in ("true", "false") else text)


def tagged(value: Value, tag: str | None) -> Value:
    """Keep a collection's own tag among its children."""
    if (
        not isinstance(value, (dict, list))
        or tag is None
        or tag == "!"
        or tag.startswith(_STANDARD)
    ):
        return value
    mark = Plain("tag", tag)
    return {**value, "!": mark} if isinstance(value, dict) else [*value, mark]


def map_value(pairs: Sequence[tuple[Value, str, Value]]) -> Value:
    """Build a map of keys, styles and values; merge keys are resolved."""
    result: dict[str, Value] = {}
    inherited: dict[str, Value] = {}
    for key, _, value in pairs:
        if key == Plain("plain", "<<"):
            for source in value if isinstance(value, list) else [value]:
                if isinstance(source, dict):
                    inherited = {**source, **inherited}
            continue
        name = key if isinstance(key, str) else key.text if isinstance(key, Plain) else repr(key)
        result[_free_name(result, name)] = value
    return {**inherited, **result} if inherited else result


def _free_name(taken: dict[str, Value], name: str) -> str:
    count, free = 1, name
    while free in taken:
        count += 1
        free = f"{name}#{count}"
    return free


class Anchors:
    """The anchored values of one document; refuses aliases that expand without end."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.sizes: dict[int, int] = {}
        self.total = 0

    def put(self, name: str, value: Value) -> None:
        """Remember an anchored value."""
        self.values[name] = value

    def get(self, name: str, mark: pyyaml.error.Mark) -> Value:
        """Return what an alias stands for."""
        if name not in self.values:
            raise Unreadable(
                f"the alias *{name} has no anchor before it", mark.line + 1, mark.column + 1
            )
        value = self.values[name]
        self.total += self._size(value)
        if self.total > MAX_NODES:
            raise Unreadable(
                f"aliases expand to more than {MAX_NODES:,} values", mark.line + 1, mark.column + 1
            )
        return value

    def _size(self, value: Value) -> int:
        if not isinstance(value, (dict, list)):
            return 1
        known = self.sizes.get(id(value))
        if known is None:
            children = value.values() if isinstance(value, dict) else value
            known = self.sizes[id(value)] = 1 + sum(map(self._size, children))
        return known


def check_depth(depth: int, mark: pyyaml.error.Mark) -> None:
    """Refuse a text that is nested deeper than any configuration file."""
    if depth > MAX_DEPTH:
        raise Unreadable(f"nested deeper than {MAX_DEPTH} levels", mark.line + 1, mark.column + 1)


def unreadable(error: Exception) -> Unreadable:
    """Translate an error of the YAML library."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if mark is None:
        return Unreadable(f"not YAML: {problem}")
    return Unreadable(f"not YAML: {problem}", mark.line + 1, mark.column + 1)


def read_values(text: str) -> Value:
    """Compose a text anew and return its value, a list where it has several documents."""
    try:
        nodes = list(pyyaml.compose_all(text, Loader=_Loader))
    except (pyyaml.YAMLError, UnicodeError) as error:
        raise unreadable(error) from error
    return one_or_many([_node_value(node, {}) for node in nodes])


def one_or_many(values: list[Value]) -> Value:
    """Return the value of a stream of documents."""
    return values[0] if len(values) == 1 else values or {}


def _node_value(node: pyyaml.Node, seen: dict[int, Value]) -> Value:
    if isinstance(node, pyyaml.ScalarNode):
        return scalar_value(node.value, node.style, _own_tag(node))
    if id(node) not in seen:
        seen[id(node)] = tagged(_bare_value(node, seen), _own_tag(node))
    return seen[id(node)]


def _bare_value(node: pyyaml.Node, seen: dict[int, Value]) -> Value:
    if isinstance(node, pyyaml.SequenceNode):
        return [_node_value(child, seen) for child in node.value]
    pairs = [(_node_value(key, seen), "", _node_value(item, seen)) for key, item in node.value]
    return map_value(pairs)


def _own_tag(node: pyyaml.Node) -> str | None:
    return None if node.tag == _STANDARD else str(node.tag)


def yaml_meaning() -> Meaning:
    """Return what YAML adds to plain values."""
    return Meaning(ordered=order_matters, may_empty=False, texts=True)


def order_matters(path: Key, keys: Sequence[str]) -> bool:
    """Return whether a list is a command line or another sequence."""
    named = any(word.lower() in _ORDERED for word in path[-2:])
    return named or any(
        key.startswith("-") and len(key) > 1 and not key[1].isdigit() for key in keys
    )
