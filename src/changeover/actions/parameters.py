"""The parameters of an action: read from its fields, and fitted to what a release wrote."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from changeover.errors import InvalidRelease

FROM_BUNDLE = ("template", "source")
"""Words a release may write instead of `content`: a file of the bundle, rendered or as it is."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of an action, for the manual and for lint."""

    name: str
    type: Any
    shown: str
    """The type in words, such as `list of text`."""
    required: bool
    default: Any
    text: str
    """The string below the field, as one paragraph."""


@dataclass(frozen=True)
class Misfit:
    """Something wrong with a step's parameters; `parameter` is empty if it is not about one."""

    parameter: str
    message: str
    remedy: str = ""


class _Refused(Exception):
    """A value does not fit: why, and what to write instead."""

    def __init__(self, why: str, remedy: str = "") -> None:
        super().__init__(why)
        self.why, self.remedy = why, remedy


def parameters_of(action: type) -> tuple[Parameter, ...]:
    """Return the parameters of an action (or of a record nested in one), in their order."""
    hints, texts = typing.get_type_hints(action), _texts(action)
    return tuple(
        Parameter(f.name, hints[f.name], shown(hints[f.name]), *_default(f), texts.get(f.name, ""))
        for f in _fields(action)
    )


def misfits(
    action: type, params: Mapping[str, Any], *, templates: bool = False
) -> Iterator[Misfit]:
    """Report unknown, missing and ill-typed parameters; `templates` trusts unrendered values."""
    hints = _hints(action)
    names = set(hints) | ({*FROM_BUNDLE} if templates and "content" in hints else set())
    for name in params:
        if name not in names:
            yield Misfit(str(name), f"no parameter is called {name!r}", nearest(str(name), names))
    for f in _fields(action):
        if f.name in params:
            yield from _misfit(f.name, params[f.name], hints[f.name], templates)
        elif _required(f) and not (
            f.name == "content" and any(n in params for n in names - {*hints})
        ):
            yield Misfit(f.name, f"{f.name} is missing", f"Write `{f.name}: ...` under `with:`.")


def bound(action: type, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as the fields want them: lists as tuples, records as dataclasses.

    Raises `InvalidRelease` for one that does not fit.
    """
    hints = _hints(action)
    return {name: _fitted(name, value, hints[name]) for name, value in params.items()}


def nearest(word: str, words: Iterable[str]) -> str:
    """Return a remedy that names the nearest valid word, or all of them."""
    from difflib import get_close_matches  # noqa: PLC0415 - only errors pay for its import

    valid = sorted(words)
    close = get_close_matches(word, valid, 1, 0.5)
    return f"Did you mean {close[0]!r}?" if close else f"Valid here: {', '.join(valid)}."


def shown(wanted: Any) -> str:
    """Return a type in words an author of releases knows."""
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(shown(t) for t in inner if t is not types.NoneType))
    if origin is Literal:
        return " or ".join(f"`{choice}`" for choice in inner)
    if origin is tuple:
        return f"list of {shown(inner[0])}"
    if dataclasses.is_dataclass(wanted):
        return f"mapping ({', '.join(f.name for f in dataclasses.fields(wanted))})"
    if _is_mapping(wanted):
        return "mapping"
    return _WORDS.get(wanted, "anything")


_WORDS: dict[Any, str] = {
    str: "text",
    bytes: "bytes",
    int: "whole number",
    float: "number",
    bool: "true or false",
}


def _misfit(name: str, value: Any, wanted: Any, templates: bool) -> Iterator[Misfit]:
    try:
        _fit(value, wanted, templates)
    except _Refused as refused:
        yield Misfit(name, f"{name}: {refused.why}", refused.remedy)


def _fitted(name: str, value: Any, wanted: Any) -> Any:
    try:
        return _fit(value, wanted)
    except _Refused as refused:
        raise InvalidRelease(f"{name}: {refused.why}", refused.remedy) from None


def _fit(value: Any, wanted: Any, templates: bool = False) -> Any:
    if wanted is Any or (templates and isinstance(value, str) and "{{" in value):
        return value
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        return _fit_one_of(value, inner, templates)
    if origin is Literal:
        return _fit_choice(value, inner)
    return _fit_grouped(value, wanted, inner, templates)


def _fit_grouped(value: Any, wanted: Any, inner: tuple[Any, ...], templates: bool) -> Any:
    if typing.get_origin(wanted) is tuple:
        return tuple(_fit(v, inner[0], templates) for v in _listed(value, inner[0]))
    if dataclasses.is_dataclass(wanted) and isinstance(wanted, type):
        return _fit_record(value, wanted, templates)
    if _is_mapping(wanted):
        return {str(k): _fit(v, (*inner, Any, Any)[1], templates) for k, v in _mapped(value)}
    return _SCALARS[wanted](value)


def _fit_one_of(value: Any, members: tuple[Any, ...], templates: bool) -> Any:
    if value is None and types.NoneType in members:
        return None
    refusals = []
    for member in (m for m in members if m is not types.NoneType):
        try:
            return _fit(value, member, templates)
        except _Refused as refused:
            refusals.append(refused)
    raise refusals[0]


def _fit_choice(value: Any, choices: tuple[Any, ...]) -> Any:
    if value in choices:
        return value
    raise _Refused(f"{value!r} is not one of its words", nearest(str(value), map(str, choices)))


def _fit_record(value: Any, record: type, templates: bool) -> Any:
    entries = dict(_mapped(value))
    for wrong in misfits(record, entries, templates=templates):
        raise _Refused(wrong.message, wrong.remedy)
    try:
        return None if templates else record(**bound(record, entries))
    except InvalidRelease as error:
        raise _Refused(error.message, error.remedy) from None


def _listed(value: Any, inner: Any) -> Iterable[Any]:
    if isinstance(value, list | tuple):
        return value
    raise _Refused(f"a list is wanted, got {_said(value)}", f"Write [{shown(inner)}, ...].")


def _mapped(value: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return value.items()
    raise _Refused(
        f"a mapping is wanted, got {_said(value)}", "Write `name: value` lines below it."
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    # YAML reads 0640 as 416 and 1.10 as 1.1: what was meant is lost, so it is never guessed.
    raise _Refused(f"text is wanted, got {_said(value)}", "Put the value in quotes.")


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    raise _Refused(f"bytes are wanted, got {_said(value)}")


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _Refused(f"true or false is wanted, got {_said(value)}", "Write true or false, unquoted.")


def _number(kind: type[int] | type[float]) -> Callable[[Any], Any]:
    def fit(value: Any) -> int | float:
        if isinstance(value, (int, kind)) and not isinstance(value, bool):
            return value
        try:
            return kind(value if isinstance(value, str) else "")
        except ValueError:
            raise _Refused(f"a {_WORDS[kind]} is wanted, got {_said(value)}") from None

    return fit


_SCALARS: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    bytes: _bytes,
    bool: _bool,
    int: _number(int),
    float: _number(float),
}


def _said(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    kinds = ((str, "the text"), (Mapping, "a mapping"), (list, "a list"))
    kind = next((word for kind, word in kinds if isinstance(value, kind)), "something else")
    # Never the value of a text: it may be a secret.
    return kind if kind != "the text" else "text"


def _is_mapping(wanted: Any) -> bool:
    origin = typing.get_origin(wanted) or wanted
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _hints(action: type) -> dict[str, Any]:
    hints = typing.get_type_hints(action)
    return {f.name: hints[f.name] for f in _fields(action)}


def _fields(action: type) -> list[dataclasses.Field[Any]]:
    """Return the fields a release can write; what the engine tells an action is none of them."""
    return [f for f in dataclasses.fields(action) if "told" not in f.metadata]


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is field.default_factory is dataclasses.MISSING


def _default(field: dataclasses.Field[Any]) -> tuple[bool, Any]:
    if field.default_factory is not dataclasses.MISSING:
        return False, field.default_factory()
    missing = field.default is dataclasses.MISSING
    return missing, None if missing else field.default


def _texts(action: type) -> dict[str, str]:
    """Return the string below each field, read from the source, base classes first."""
    found: dict[str, str] = {}
    for owner in (c for c in reversed(action.__mro__) if dataclasses.is_dataclass(c)):
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
        body = getattr(tree, "body", [])
        for field, below in pairwise(body):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(ast.Constant(str(text))):
                    found[name] = " ".join(text.split())
    return found
