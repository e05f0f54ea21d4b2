"""Plain `key value` or `key = value` files without sections, such as sysctl.conf."""

from __future__ import annotations

import re

from changeover.merge.formats.base import Format
from changeover.merge.formats.linewise import Dialect, collect, normal, read_lines
from changeover.merge.tree import Block, Value
from changeover.merge.values import Meaning

_DIALECT = Dialect(
    header=None,
    entry=re.compile(
        r"(?P<head>\s*(?P<key>[^\s=:]+|[=:])(?:\s*[=:](?=\s|[^=:\s])|))"
        r"(?P<value>(?:'[^'\n]*'|\"[^\"\n]*\"|.)*?)"
        r"(?P<tail>(?:[ \t]+#[^\n]*)?[ \t]*\n?)\Z",
        re.DOTALL,
    ),
    comments="#;",
    continued="backslash",
    defaults=re.compile(r"\s*[#;]([A-Za-z_][\w.\-]*)(?:\s*=|\s+\S+\s*$)"),
)


def read(text: str) -> tuple[Block, Value]:
    """Read a file of directives."""
    tree = read_lines(text, _DIALECT)
    return tree, values(text)


def values(text: str) -> Value:
    """Return the directives, read without the tree."""
    found = []
    for line in re.sub(r"\\[ \t]*\n", "\x00", text).split("\n"):
        line = line.strip()  # noqa: PLW2901 - the bare line stands for it
        if not line or line[0] in "#;":
            continue
        key = re.match(r"[^\s=:\x00]+|.", line)
        name = key.group(0) if key else line
        rest = re.sub(r"\A\s*[=:](?=[^=:]|\x00)", "", line[len(name) :] + "\x00").removesuffix(
            "\x00"
        )
        found.append(("", name, normal(_unremarked(rest).replace("\x00", "\\\n"))))
    return collect(found)


def _unremarked(text: str) -> str:
    """Cut a remark behind a value; a mark inside quotes belongs to the value."""
    quote = ""
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"" and sign in text[place + 1 :]:
            quote = sign
        elif sign == "#" and place and text[place - 1] in " \t" and "\x00" not in text[place:]:
            return text[:place]
    return text


FORMAT = Format("directives", read, values, Meaning(repeats=True))
