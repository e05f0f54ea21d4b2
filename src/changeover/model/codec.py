"""Values to JSON and back, by their dataclass fields. Defaults are left out: lines stay short."""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from changeover.errors import InvalidInput

T = TypeVar("T")


def canonical(value: Any) -> str:
    """Return the one JSON spelling of a value that hashes are made over."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(value: Any) -> str:
    """Return the sha256 of a value's canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def to_json(value: Any) -> Any:
    """Turn dataclasses, enums, tuples and mappings into JSON data."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: to_json(getattr(value, f.name))
            for f in dataclasses.fields(value)
            if not _is_default(f, getattr(value, f.name))
        }
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(v) for v in value]
    return value


def from_json(kind: type[T], value: Any) -> T:
    """Rebuild a dataclass from JSON data. Raise `InvalidInput` where the data has other fields."""
    known: dict[str, Any] = _hints(kind)  # type: ignore[arg-type]  # a class is hashable
    if not isinstance(value, dict) or (unknown := set(value) - set(known)):
        extra = ", ".join(sorted(unknown)) if isinstance(value, dict) else type(value).__name__
        raise InvalidInput(
            f"{kind.__name__}: not understood: {extra}",
            "it was probably written by a newer version of changeover: use that one",
        )
    try:
        return kind(**{name: _build(known[name], item) for name, item in value.items()})
    except (AttributeError, TypeError, ValueError) as error:
        lacking = ", ".join(name for name in _required(kind) if name not in value)
        why = f"lacks {lacking}" if lacking else str(error)
        raise InvalidInput(f"{kind.__name__}: {why}", "the file was cut or edited") from error


def _required(kind: type[Any]) -> list[str]:
    missing = dataclasses.MISSING
    return [f.name for f in dataclasses.fields(kind)
            if f.default is missing and f.default_factory is missing]  # fmt: skip


@functools.cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _build(hint: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _build(arguments[0], value)
    if origin is tuple:
        return tuple(_build(arguments[0], item) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        return {key: _build(arguments[1], item) for key, item in value.items()}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_json(hint, value)
    if isinstance(hint, type) and issubclass(hint, enum.Enum | Path):
        return hint(value)
    return value


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default is not dataclasses.MISSING:
        return bool(value == field.default)
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return False
