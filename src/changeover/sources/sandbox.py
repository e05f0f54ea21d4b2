"""Jinja's sandbox, in which nobody can use a machine up: sizes, turns and time are bounded.

Each operation is judged before it is done, by what it is given. A limit on the memory of the whole
process would bind the programs it starts, and a process for each of thousands of renderings would
cost more than they do. What has no bound is one search of a regular expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import BuiltinMethodType
from typing import Any

from jinja2 import nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from changeover.sources import bounds

Filter = Callable[..., Any]

_OPERATIONS: Mapping[str, bounds.Guard] = {
    "+": bounds.refuse_sum,
    "*": bounds.refuse_product,
    "**": bounds.refuse_power,
    "%": bounds.refuse_percent,
}
_FILTERS: Mapping[str, bounds.Guard] = {
    "batch": bounds.refuse_wide,
    "center": bounds.refuse_wide,
    "comment": bounds.refuse_wide,
    "format": bounds.refuse_filling,
    "indent": bounds.refuse_wide,
    "join": bounds.refuse_joined,
    "regex_replace": bounds.refuse_matched,
    "replace": bounds.refuse_replaced,
    "slice": bounds.refuse_wide,
    "to_json": bounds.refuse_deep,
    "to_nice_json": bounds.refuse_deep,
    "to_nice_yaml": bounds.refuse_deep,
    "to_yaml": bounds.refuse_deep,
    "tojson": bounds.refuse_deep,
    "wordwrap": bounds.refuse_wide,
}
_METHODS: Mapping[str, bounds.Guard] = {
    "format": bounds.refuse_filling,
    "format_map": bounds.refuse_filling,
    "join": bounds.refuse_join,
    "replace": bounds.refuse_replaced,
    "translate": bounds.refuse_translated,
}
_PLAIN = (str, bytes, int, float)
_LIGHT = frozenset(
    ("bool", "count", "d", "default", "first", "last", "length", "list", "mandatory")
)
"""Filters that write nothing out, and whose cost does not grow with what they are given."""


class Bounded(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with a bound on everything but regular expressions."""

    intercepted_binops = frozenset(_OPERATIONS)

    def __init__(self, filters: Mapping[str, Filter], **options: Any) -> None:
        # What is computed while a template is compiled would be computed before it is bounded.
        super().__init__(**options, optimized=False)
        everything = {**self.filters, **filters}
        self.filters = {name: _guarded(name, made) for name, made in everything.items()}
        self.filters |= {"_ticked": bounds.ticked, "_written": written}
        self.globals["range"] = bounds.bounded_range
        self.globals.pop("lipsum")

    def _generate(self, source: nodes.Template, *given: Any, **named: Any) -> str:
        for loop in source.find_all(nodes.For):
            loop.iter = _filtered(loop.iter, "_ticked")
        for joined in source.find_all(nodes.Concat):
            joined.nodes = [_filtered(part, "_written") for part in joined.nodes]
        return super()._generate(source, *given, **named)

    @staticmethod
    def concat(values: Iterable[Any]) -> str:
        """Join what a template, a macro or a block gives."""
        found, size = [], 0
        for number, value in enumerate(values):
            text = str(written(value))
            size += len(text)
            bounds.refuse_long(size)
            if not number & 63:
                bounds.refuse_late()
            found.append(text)
        return "".join(found)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute, but not a machine's memory away."""
        _OPERATIONS[operator](left, right)
        return bounds.paid(super().call_binop(context, operator, left, right))

    def call(__self, __context: Context, __obj: Any, *given: Any, **named: Any) -> Any:
        """Call what a template may call, once it is known to stay small."""
        bounds.spend()
        # Jinja wraps `str.format` in a function of its own.
        method = getattr(__obj, "__wrapped__", __obj)
        if isinstance(method, BuiltinMethodType) and isinstance(method.__self__, _PLAIN):
            guard: bounds.Guard = _METHODS.get(method.__name__, bounds.refuse_wide)
            guard(method.__self__, *given, **named)
        return bounds.paid(super().call(__context, __obj, *given, **named))


def written(value: Any) -> Any:
    """Return a value that is about to be written out; raise where that would be too long."""
    if isinstance(value, str):
        bounds.refuse_long(len(value))
    elif isinstance(value, bounds.CONTAINERS):
        bounds.refuse_large(value)
    return value


def _filtered(node: Any, name: str) -> nodes.Expr:
    made = nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
    made.environment = node.environment
    return made


def _guarded(name: str, made: Filter) -> Filter:
    """Return a filter that looks at what it is given before it does its work."""
    passed = getattr(made, "jinja_pass_arg", None)
    guard = _FILTERS.get(name)

    def bounded(*given: Any, **named: Any) -> Any:
        own = given[1:] if passed else given
        if name not in _LIGHT:
            for value in own:
                written(value)
        if guard:
            guard(*own, **named)
        bounds.spend()
        return bounds.paid(made(*given, **named))

    if passed:
        bounded.jinja_pass_arg = passed  # type: ignore[attr-defined] # how Jinja marks functions
    return bounded
