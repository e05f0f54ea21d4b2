"""Environment files: one variable a line, quoted values may span lines."""

from __future__ import annotations

import re
from collections import deque

from changeover.merge.formats.base import Format, commented_setting
from changeover.merge.formats.linewise import add_repeated, sectioned
from changeover.merge.tree import Block, Item, Leaf, Value, blank, comment, lines_of
from changeover.merge.values import Meaning
from changeover.merge.verdict import Unreadable

_ENTRY = re.compile(
    r"(?P<head>[ \t]*(?:export[ \t]+)?(?P<key>[^\s=#][^\s=]*)[ \t]*(?:=|(?=\s)|\Z))"
    r"(?P<value>[ \t]*(?:\"(?:\\.|[^\"\\])*\"|'[^']*'|[^\n]*?))"
    r"(?P<tail>(?:[ \t]+#[^\n]*)?[ \t]*\n|\Z)",
    re.DOTALL,
)
_LOOSE = re.compile(r"(?P<head>)(?P<key>[^\n]*?)(?P<value>)(?P<tail>[ \t]*\n|\Z)")
_SHELL = frozenset(("then", "else", "fi", "do", "done", "esac", "{", "}", ";;", "return", "exit"))
_DEFAULT = re.compile(r"\s*#+\s?(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)=")


def read(text: str) -> tuple[Block, Value]:
    """Read an environment file."""
    items: list[Item] = []
    place = 0
    while place < len(text):
        end = text.find("\n", place) + 1 or len(text)
        line = text[place:end]
        if not line.strip():
            items.append(blank(line))
        elif line.lstrip().startswith("#"):
            items.append(comment(line, commented_setting(line, _DEFAULT)))
        else:
            found = _ENTRY.match(text, place) or _LOOSE.match(text, place)
            assert found is not None  # noqa: S101 - the second pattern matches any line
            _refuse_shell(found, text)
            head, key, value, tail = found.group("head", "key", "value", "tail")
            leaf = Leaf(value, _unquoted(value.strip()), fixed=True)
            items.append(Item("entry", head, leaf, "", tail, group=key))
            end = found.end()
        place = end
    return sectioned(items), values(text)


def _refuse_shell(found: re.Match[str], text: str) -> None:
    """Refuse a script: there order means something, and a variable may be set twice."""
    head, key, value = found.group("head", "key", "value")
    if not head.endswith("=") and (value.strip() or key in _SHELL or key.endswith("()")):
        line = text.count("\n", 0, found.start()) + 1
        raise Unreadable(f"a command, not a variable: {found.group(0).strip()[:40]!r}", line)


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if quoted else text


def values(text: str) -> Value:
    """Return the variables, read line by line without the tree."""
    result: dict[str, Value] = {}
    lines = deque(line.removesuffix("\n") for line in lines_of(text))
    while lines:
        line = lines.popleft().strip(" \t")
        if not line.strip() or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        name = name.removeprefix("export ").removeprefix("export\t").strip()
        if not equals or " " in name or not name:
            name, value = _bare(line)
        value = _whole(value.strip(), lines)
        add_repeated(result, name, value)
    return result


def _bare(line: str) -> tuple[str, str]:
    found = _ENTRY.match(line + "\n")
    return (found["key"], found["value"].strip()) if found else (line.rstrip(), "")


def _whole(value: str, lines: deque[str]) -> str:
    """Complete a quoted value from the lines after it; drop a remark behind it."""
    quote = value[:1]
    if quote not in ("'", '"'):
        cut = re.search(r"[ \t]+#", value)
        return _unquoted((value[: cut.start()] if cut else value).strip())
    closed = r'"((?:\\.|[^"\\])*)"' if quote == '"' else r"'([^']*)'"
    text, taken = value, 0
    while True:
        found = re.match(closed + r"(?:[ \t]+#[^\n]*)?[ \t]*\Z", text, re.DOTALL)
        if found:
            for _ in range(taken):
                lines.popleft()
            return found.group(1)
        if taken >= len(lines) or re.match(closed, text, re.DOTALL):
            cut = re.search(r"[ \t]+#", value)
            return _unquoted((value[: cut.start()] if cut else value).strip())
        text += "\n" + lines[taken]
        taken += 1


FORMAT = Format("dotenv", read, values, Meaning(repeats=True))
