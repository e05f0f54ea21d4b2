"""Where one SQL statement ends and the next begins."""

from __future__ import annotations

import re

_PIECE = re.compile(
    r"""
      (?P<end>;)
    | (?P<skip> --[^\n]*
      | (?:(?<![\w$])[eE])'(?:[^'\\]|\\.|'')*'
      | '(?:[^']|'')*'
      | "(?:[^"]|"")*"
      | (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$
      | \w+ )
    | (?P<comment>/\*)
    | .
    """,
    re.X | re.S,
)
_EDGE = re.compile(r"/\*|\*/")


def statements(text: str) -> list[str]:
    """Split SQL at the semicolons between its statements.

    Strings, quoted names, dollar quotes and nested comments are passed over; the statements of a
    body written as `BEGIN ATOMIC ... END` are not told apart from those around it.
    """
    found, start, place, said = [], 0, 0, False
    while place < len(text):
        piece = _PIECE.match(text, place)
        assert piece  # noqa: S101 - the last alternative matches any character
        place = _after_comment(text, place) if piece["comment"] else piece.end()
        if piece["end"]:
            if said:
                found.append(text[start : piece.start()].strip())
            start, said = place, False
        elif not piece["comment"] and not piece[0].isspace() and not piece[0].startswith("--"):
            said = True
    if said:
        found.append(text[start:].strip())
    return found


def _after_comment(text: str, place: int) -> int:
    """Return where a comment ends: comments nest in SQL."""
    depth = 0
    for edge in _EDGE.finditer(text, place):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)
