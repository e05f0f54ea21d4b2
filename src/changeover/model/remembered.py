"""Values that were read and checked once, kept as JSON: reading them again takes a millisecond."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, TypeVar

from changeover.errors import InvalidInput
from changeover.model.codec import from_json, to_json

T = TypeVar("T")


def remember(file: Path, key: str, **values: Any) -> None:
    """Keep values under a key; those that JSON cannot give back as they are are not kept."""
    body = {name: to_json(value) for name, value in values.items()}
    if all(_given_back(values[name], body[name]) for name in values):
        half = file.with_suffix(".half")
        with contextlib.suppress(OSError):
            half.write_text(json.dumps({"key": key, **body}))
            half.replace(file)


def recall(file: Path, key: str) -> dict[str, Any] | None:
    """Return the JSON data kept under exactly this key, or nothing."""
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("key") == key else None


def rebuilt(kind: type[T], data: Any) -> T | None:
    """Rebuild a value; nothing where it was written by another version."""
    try:
        return from_json(kind, data)
    except (InvalidInput, AttributeError, KeyError):
        return None


def _given_back(value: Any, body: Any) -> bool:
    plain = json.loads(json.dumps(body))
    if isinstance(value, dict):
        return all(rebuilt(type(item), plain[name]) == item for name, item in value.items())
    return bool(rebuilt(type(value), plain) == value)
