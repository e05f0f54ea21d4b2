"""INI in its dialects: supervisor, package repositories, git, php, desktop files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from changeover.merge.formats.base import Format, Read
from changeover.merge.formats.ini_variables import variable_values, variables
from changeover.merge.formats.linewise import Dialect, collect, normal, parts_of, read_lines
from changeover.merge.formats.repeated import REPEATED, gathered, place_of
from changeover.merge.formats.sections import Part, Sections, in_sections
from changeover.merge.tree import Block, Leaf, Value
from changeover.merge.values import Meaning

_HEADER = re.compile(r"\s*\[([^\]\n]+)\][^\n]*\n?")
# A key without a value is one word: a line of several words is no INI.
_SIGN = re.compile("[=:]")
_HEAD = (
    r"(?P<head>\s*(?P<key>[^=:\n]*?[^=:\s](?=[ \t]*[=:])"
    r"|(?:[!.%][^\n]*[^\s=:]|[^=:\s]+)(?=[ \t]*(?:\n|\Z))|(?=[=:]))[ \t]*(?:[=:]|(?=\n)|\Z))"
)
_ENTRY = re.compile(_HEAD + r"(?P<value>.*?)(?P<tail>[ \t]*\n?)\Z", re.DOTALL)
_REMARKED = re.compile(
    _HEAD + r"(?P<value>.*?)(?P<tail>(?:[ \t]+;(?:[ \t][^\n]*)?)?[ \t]*\n?)\Z", re.DOTALL
)


def _bare(text: str, marks: str) -> str:
    """Return a value without the comments between its lines."""
    if "\n" not in text:
        return text.strip().removesuffix("\\").rstrip()
    first, *lines = text.split("\n")
    kept = [line for line in lines if line.lstrip()[:1] not in tuple(marks)]
    return normal("\n".join([first, *kept]))


def _valued(marks: str) -> Callable[[str, str], Leaf | Block]:
    return lambda key, text: variables(key, text) or Leaf(text, _bare(text, marks))


_PLAIN = Dialect(_HEADER, _ENTRY, "#;", "indent backslash", value=_valued("#;"),
                 repeated=REPEATED)  # fmt: skip
_SEMICOLON = Dialect(_HEADER, _REMARKED, ";", "indent", value=_valued(";"), repeated=REPEATED)


def _dialect(text: str) -> Dialect:
    """Trailing remarks exist only where all comments begin with a semicolon."""
    semicolons = re.search(r"(?m)^[ \t]*;", text)
    return _SEMICOLON if semicolons and not re.search(r"(?m)^[ \t]*#", text) else _PLAIN


def read(text: str) -> tuple[Block, Value]:
    """Read an INI file."""
    return read_lines(text, _dialect(text)), values(text)


def values(text: str) -> Value:
    """Return `{section: {setting: value}}`, read line by line without the tree."""
    remarks = _dialect(text) is _SEMICOLON
    found: list[tuple[str, str, str]] = []
    where, depth, last = "", 0, ""
    sections: list[str] = []
    marks = ";" if remarks else "#;"
    for line in text.split("\n"):
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        joined = not remarks and last.rstrip().endswith("\\")
        if stripped and stripped[0] in marks:
            last = line if joined else last
        elif joined or (last and indent > depth and stripped):
            found[-1] = (*found[-1][:2], f"{found[-1][2]}\n{line}")
            last = line or "\n"
        elif not stripped:
            last = ""
        elif header := _HEADER.match(line):
            where, last = place_of(" ".join(header[1].split()), len(sections)), ""
            sections.append(where)
        else:
            cut = _SIGN.search(line)
            key = (line[: cut.start()] if cut else line).strip()
            found.append((where, key, line[cut.end() :] if cut else ""))
            last, depth = line, indent
    pairs = (
        (place, key, variable_values(key, text) or normal(_unremarked(text, remarks)))
        for place, key, text in found
    )
    return gathered(collect(pairs, sections))


def _unremarked(value: str, remarks: bool) -> str:
    if not remarks or ";" not in value:
        return value
    cut = re.search(r"[ \t]+;(?:[ \t][^\n]*)?[ \t]*\Z", value)
    return value[: cut.start()] if cut else value


def _plain_parts(text: str) -> Iterable[Part]:
    return parts_of(text, _PLAIN)


def _semicolon_parts(text: str) -> Iterable[Part]:
    return parts_of(text, _SEMICOLON)


def read_several() -> Read:
    """Return a reader for texts that have much in common."""
    header = re.compile(r"(?m)^\[")
    return Sections(
        header,
        lambda text: _plain_parts if _dialect(text) is _PLAIN else _semicolon_parts,
        in_sections,
        read,
    ).read


FORMAT = Format("ini", read, values, Meaning(repeats=True), several=read_several)
