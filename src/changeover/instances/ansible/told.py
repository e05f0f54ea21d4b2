"""What `-e name=value ...` says, as Ansible splits and unescapes it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from changeover.errors import InvalidInput

_PART = re.compile(
    r"""\\['"\\]|\{\{.*?\}\}|\{%.*?%\}|\{\#.*?\#\}
    |'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|(?P<blank>\s+)|(?P<open>\{\{|\{%|['"])|.""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPED = re.compile(
    r"""\\(?:U[0-9a-fA-F]{8}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-7]{1,3}|N\{[^}]+\}|[\\'"abfnrtv])"""
)
_NAMED = re.compile(r"((?:[^=\\]|\\.)+?)=(.*)", re.DOTALL)


def told_pairs(text: str) -> dict[str, str]:
    """Return name -> value of `a=1 b='x y' c={{ d }}`. Raises `InvalidInput`."""
    pairs = {}
    for word in _words(text):
        found = _NAMED.fullmatch(word)
        if found is None:
            raise InvalidInput(f"-e {word[:40]}: is not name=value", "write -e name=value")
        pairs[found[1].strip()] = _unquoted(_ESCAPED.sub(_unescaped, found[2]).strip())
    return pairs


def _words(text: str) -> Iterator[str]:
    """Yield what blanks part outside of quotes and templates; quotes stay."""
    word = ""
    for part in _PART.finditer(text):
        if part["open"]:
            raise InvalidInput(f"-e {text[:40]}: `{part[0]}` is not closed", "close it")
        if part["blank"]:
            yield from filter(None, [word])
        word = "" if part["blank"] else word + part[0]
    yield from filter(None, [word])


def _unescaped(found: re.Match[str]) -> str:
    try:
        return codecs.decode(found[0], "unicode_escape")
    except ValueError:
        return found[0]


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value
