"""Kinds of values that people write in releases and in instances."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from changeover.errors import InvalidInput
from changeover.sources.checked import refused
from changeover.sources.versions import version_key, version_range

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z]{2,4})?")


def _id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise refused(f"`{value[:60]}` is not a name", "use letters, digits, `-`, `_` and `.`")
    return value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        remedy = "use letters, digits and `_`, so that templates can say it"
        raise refused(f"`{value[:60]}` cannot be a variable's name", remedy)
    return value


def _version(value: str) -> str:
    try:
        version_key(value)
    except InvalidInput as error:
        raise refused(error.message, error.remedy) from None
    # It names a folder and a step of the journal.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+~_-]*", value):
        raise refused(f"`{value[:60]}` is not a version", "use letters, digits, `.`, `-` and `+`")
    return value


def _range(value: str) -> str:
    try:
        version_range(value)
    except InvalidInput as error:
        raise refused(error.message, error.remedy) from None
    return value


def _localized(value: Any) -> Any:
    if isinstance(value, str):
        return {"en": value}
    if not isinstance(value, dict):
        raise refused("must be text", "write a sentence, or {en: ..., fr: ...}")
    for language, sentence in value.items():
        if not _LANGUAGE.fullmatch(language):
            raise refused(f"`{language}` is not a language", "write {en: ..., fr: ...}")
        if not isinstance(sentence, str):
            raise refused(f"the text in `{language}` must be text", "put it in quotes")
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise refused(f"not a regular expression: {error}", "correct the pattern") from None
    return value


Id = Annotated[str, AfterValidator(_id)]
"""The name of a step, a check, a host."""

Name = Annotated[str, AfterValidator(_name)]
"""The name of a value that templates can say."""

VersionText = Annotated[str, AfterValidator(_version)]

Range = Annotated[str, AfterValidator(_range)]

Pattern = Annotated[str, AfterValidator(_pattern)]

Localized = Annotated[
    dict[str, str],
    BeforeValidator(_localized),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]
"""Text: a sentence, or `{en: ..., fr: ...}`."""

Words = Annotated[
    list[str],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One word or a list of words."""
