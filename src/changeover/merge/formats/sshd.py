"""Files where the first value wins, such as sshd_config: keywords, Match and Host blocks."""

from __future__ import annotations

import re

from changeover.merge.formats.base import Format
from changeover.merge.formats.linewise import Dialect, collect, read_lines
from changeover.merge.tree import Block, Leaf, Value
from changeover.merge.values import Meaning


def _words(text: str) -> str:
    return " ".join(text.split())


_DIALECT = Dialect(
    header=re.compile(r"(?i)\s*((?:match|host)[ \t]+[^\n]*?)[ \t]*(?:\n|\Z)"),
    entry=re.compile(
        r"(?P<head>\s*(?P<key>[^\s=]+|=)(?:[ \t]*=|))(?P<value>[^\n]*?)(?P<tail>[ \t]*\n?)\Z"
    ),
    # Only a bare `#Keyword value` is a default; prose has a blank behind the mark.
    defaults=re.compile(r"\s*#([A-Z][A-Za-z0-9]+)[ \t]+[^\s][^\n]*$"),
    value=lambda key, text: Leaf(text, _words(text)),
    name=str.lower,
)


def read(text: str) -> tuple[Block, Value]:
    """Read a file of keywords."""
    return read_lines(text, _DIALECT), values(text)


def values(text: str) -> Value:
    """Return the keywords by their block, in lower case, read without the tree."""
    found, where = [], ""
    sections = []
    for line in text.split("\n"):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0].lower() in ("match", "host") and len(words) > 1:
            where = " ".join(words).lower()
            sections.append(where)
            continue
        keyword, equals, glued = words[0].partition("=")
        rest = ([glued] if glued else []) + words[1:]
        if not equals and rest and rest[0].startswith("="):
            rest = [rest[0][1:], *rest[1:]] if len(rest[0]) > 1 else rest[1:]
        found.append((where, (keyword or "=").lower(), " ".join(rest)))
    return collect(found, sections)


FORMAT = Format("sshd", read, values, Meaning(repeats=True))
