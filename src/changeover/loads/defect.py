"""What is wrong with a file: by its JSON Schema, and in how YAML reads it."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError

from changeover.errors import InvalidRelease
from changeover.loads.selection import said
from changeover.sources.yamltree import Place

LONGEST = 60
"""Characters of a value that a message shows."""


@dataclass(frozen=True)
class Defect:
    """Something wrong, and where it stands."""

    place: Place
    message: str
    remedy: str = ""


_FORMATS = FormatChecker(())


@_FORMATS.checks("uuid", raises=ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(uuid.UUID(value)) == value.lower()


@_FORMATS.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.date.fromisoformat(value))


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.datetime.fromisoformat(value))


@_FORMATS.checks("email")
def _is_email(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value))


@_FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"https?://\S+", value))


def require_schema(action: str, schema: Mapping[str, Any]) -> None:
    """Raise `InvalidRelease` unless a mapping is a JSON Schema."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise InvalidRelease(
            f"{action}: schema: {'.'.join(map(str, error.path))}: {error.message}",
            "See json-schema.org; the draft is 2020-12.",
        ) from None


def schema_defects(
    value: Any, schema: Mapping[str, Any], secret: frozenset[Place]
) -> Iterator[Defect]:
    """Yield all that a JSON Schema forbids, in the order of the file; secrets are not shown."""
    validator = Draft202012Validator(schema, format_checker=_FORMATS)
    errors = sorted(validator.iter_errors(value), key=lambda e: [str(w) for w in e.absolute_path])
    for error in errors:
        yield from _explained(error, secret)


def _explained(error: ValidationError, secret: frozenset[Place]) -> Iterator[Defect]:
    place = tuple(error.absolute_path)
    rule: Any = error.validator_value
    schema: Any = error.schema
    value: Any = error.instance
    known: Mapping[str, Any] = schema.get("properties", {})
    if error.validator == "required":
        for name in (n for n in rule if n not in value):
            hint = known.get(name, {}).get("description", "")
            yield Defect(place, f"{said(place)}: {name} is missing", f"write {hint}" * bool(hint))
    elif error.validator == "additionalProperties":
        for name in (n for n in value if n not in known):
            remedy = f"known here: {', '.join(known)}"
            yield Defect((*place, name), f"{said(place)}: nothing is called {name}", remedy)
    else:
        told = schema.get("description", "") or _wanted(str(error.validator), rule, value)
        shown = "this value" if place in secret else _shown(value)
        yield Defect(place, f"{said(place)}: {shown} is not {told}")


def _wanted(validator: str, rule: Any, value: Any) -> str:
    if validator == "enum":
        return f"one of {', '.join(map(str, rule))}"
    if validator != "type":
        return _FORMAT_WORDS.get(str(rule), f"as {validator} {rule} wants it")
    kinds = rule if isinstance(rule, list) else [rule]
    words = " or ".join(_TYPES.get(str(kind), str(kind)) for kind in kinds)
    number = "string" in kinds and isinstance(value, int | float) and not isinstance(value, bool)
    return f"{words}: put it in quotes" if number else words


_FORMAT_WORDS = {
    "uuid": "a UUID (`make id`)",
    "email": "an address of e-mail",
    "uri": "a URL",
    "date": "a date such as 2023-02-28",
    "date-time": "a moment such as 2023-02-28T09:00:00Z",
}
_TYPES = {"object": "a mapping", "array": "a list", "string": "a text", "boolean": "true or false"}


def _shown(value: Any) -> str:
    if isinstance(value, Mapping | list):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    text = "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 4]}...'"


def reading_defects(ours: Any, text: str) -> Iterator[Defect]:
    """Yield texts that a reader of YAML 1.1, such as PyYAML, takes for numbers or truths."""
    yield from _misread(ours, yaml.safe_load(text), ())


def _misread(ours: Any, theirs: Any, at: Place) -> Iterator[Defect]:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for name in ours:
            yield from _misread(ours[name], theirs.get(name), (*at, name))
    elif isinstance(ours, list) and isinstance(theirs, list):
        for number, pair in enumerate(zip(ours, theirs, strict=False)):
            yield from _misread(*pair, (*at, number))
    elif isinstance(ours, str) and isinstance(theirs, bool | int | float):
        message = f"{said(at)}: {ours} without quotes is read as {theirs}"
        yield Defect(at, message, f"write '{ours}'")
