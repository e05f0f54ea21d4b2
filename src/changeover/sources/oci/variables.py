"""Variables in Compose files: `$NAME`, `${NAME:-default}` and their kin, and `.env` files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_DEEPEST = 4
"""Variables in the defaults of variables."""
_WITHIN = "[^{}]*"
for _ in range(_DEEPEST):
    _WITHIN = rf"[^{{}}]*(?:\$\{{{_WITHIN}\}}[^{{}}]*)*"
_VARIABLE = re.compile(
    r"\$(?:\$|(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)"
    rf"(?:(?P<sign>:?[-?+])(?P<rest>{_WITHIN}))?\}})"
)
_WORD = re.compile(rf"(?>\$\{{{_WITHIN}\}}|\S)++")
_LONGEST = 64 * 1024
"""Characters of a value that is made of others: an image's name has far fewer."""
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][\w.]*)\s*=[ \t]*(.*?)\s*$")


@dataclass(frozen=True)
class EnvLine:
    """One assignment of an `.env` file, with where its value stands in the text."""

    name: str
    value: str
    start: int
    end: int
    literal: bool = False
    """In single quotes: a dollar sign there is one."""


def env_lines(text: str) -> list[EnvLine]:
    """Return the assignments of an `.env` file; quotes and trailing comments are no value."""
    found, offset = [], 0
    for line in text.splitlines(keepends=True):
        match = _LINE.match(line)
        if match and not line.lstrip().startswith("#"):
            first, last = match.span(2)
            raw = match[2]
            if raw[:1] in ("'", '"') and (closing := raw.find(raw[0], 1)) > 0:
                first, last = first + 1, first + closing
            elif (comment := re.search(r"(?:^|\s)#", raw)) is not None:
                last = first + len(raw[: comment.start()].rstrip())
            where = offset + first, offset + last
            found.append(EnvLine(match[1], line[first:last], *where, raw.startswith("'")))
        offset += len(line)
    return found


def read_env(file: Path, environ: Mapping[str, str] = {}) -> dict[str, str]:
    """Return the variables of an `.env` file; none where there is no such file.

    A value may use the environment and the lines above it, as it may for Compose.
    """
    try:
        text = file.read_bytes().decode("utf-8", "replace")
    except OSError:
        return {}
    values: dict[str, str] = {}
    for line in env_lines(text):
        value = line.value
        if not line.literal and "$" in value:
            value = expanded(value, {**values, **environ})[0]
        values[line.name] = value[:_LONGEST]
    return values


def is_word(text: str) -> bool:
    """Tell whether a text is one word; what stands in the braces of variables may have spaces."""
    return _WORD.fullmatch(text) is not None


def expanded(text: str, values: Mapping[str, str], depth: int = 0) -> tuple[str, tuple[str, ...]]:
    """Return a text with its variables replaced, and the names of those that are nowhere set.

    What the text itself says about a missing one, `${NAME:?reason}`, stands behind its name.
    """
    missing: list[str] = []

    def replaced(match: re.Match[str]) -> str:
        name = match["plain"] or match["name"]
        if name is None:
            return "$"
        value, sign, rest = values.get(name), match["sign"] or "", match["rest"] or ""
        present = value is not None and (value != "" or not sign.startswith(":"))
        if sign.endswith("+"):
            return _inner(rest) if present else ""
        if present:
            return value or ""
        if sign.endswith("-"):
            return _inner(rest)
        reason = rest.strip() if sign.endswith("?") else ""
        missing.append(f"{name} ({reason})" if reason else name)
        return ""

    def _inner(rest: str) -> str:
        if depth > 8:
            return rest
        inner, unknown = expanded(rest, values, depth + 1)
        missing.extend(unknown)
        return inner

    return _VARIABLE.sub(replaced, text), tuple(missing)


def leading(text: str) -> re.Match[str] | None:
    """Return the variable a text begins with, if it does."""
    match = _VARIABLE.match(text)
    return match if match and (match["plain"] or match["name"]) else None
