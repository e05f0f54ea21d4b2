"""Blocks of lines: settings, and what stands between braces or tags.

Apache, dovecot, bind, logrotate, keepalived and freeradius are written so. What is not, such as a
brace that neither ends its line nor is closed in it, is refused, and merged by lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from changeover.merge.formats.base import Format, commented_setting
from changeover.merge.formats.blocks_values import (
    SCRIPTS,
    UNNAMED,
    awaits_brace,
    balanced,
    closed,
    cut,
    is_program,
    named,
    opened,
    values,
)
from changeover.merge.limits import MAX_DEPTH, MAX_NODES
from changeover.merge.tree import Block, Item, Key, Leaf, Value, blank, comment, lines_of
from changeover.merge.values import Meaning
from changeover.merge.verdict import Unreadable

_DEFAULT = re.compile(r"\s*(?:#|//)([A-Za-z_][\w.\-]*)(?:\s*=|\s+\S+\s*$)")


def read(text: str) -> tuple[Block, Value]:
    """Read a file of blocks."""
    reader = _Reader(lines_of(text))
    root = reader.block("", 0)
    return root, values(text)


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self.lines, self.number, self.closing = lines, 0, ""
        if len(lines) > MAX_NODES:
            raise Unreadable(f"more than {MAX_NODES:,} lines")

    def fail(self, what: str) -> Unreadable:
        return Unreadable(f"not blocks of lines: {what}", self.number + 1)

    def block(self, closed_by: str, depth: int) -> Block:
        """Read children up to the line that closes them, which is left in `closing`."""
        if depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH} levels")
        block = Block([])
        while self.number < len(self.lines):
            bare = self.lines[self.number].strip()
            if ended := closed(bare):
                if ended != closed_by:
                    raise self.fail(f"{bare[:60]!r} closes nothing")
                self.closing = self._taken(1)
                break
            block.items.append(self._item(bare, depth))
        else:
            if closed_by:
                raise self.fail("a block is not closed")
        block.indent = _indent(block)
        return block

    def _item(self, bare: str, depth: int) -> Item:
        if not bare:
            return blank(self._taken(1))
        if bare[0] == "#" or bare.startswith("//"):
            line = self._taken(1)
            return comment(line, commented_setting(line, _DEFAULT))
        if bare.startswith("/*"):
            return comment(self._taken(self._remark()))
        if bare in SCRIPTS:
            return _entry(self._taken(self._script()), fixed=True)
        return self._block_or_entry(bare, depth)

    def _block_or_entry(self, bare: str, depth: int) -> Item:
        name = opened(bare)
        if name is not None:
            tag = re.match(r"<(\w+)", bare)
            return self._nested(1, name or UNNAMED, tag[1].lower() if tag else "}", depth)
        count = self._entry_lines()
        text = "".join(self.lines[self.number : self.number + count])
        following = "".join(self.lines[self.number + count : self.number + count + 1])
        if awaits_brace(text.strip(), following):
            return self._nested(count + 1, text, "}", depth)
        if is_program(bare):
            raise self.fail("a script, or a list over several lines")
        if not balanced(text):
            raise self.fail("a brace in the middle of a line")
        if bare[0] in "=;":
            raise self.fail("a setting without a name")
        return _entry(self._taken(count))

    def _nested(self, count: int, name: str, closed_by: str, depth: int) -> Item:
        head = self._taken(count)
        block = self.block(closed_by, depth + 1)
        group = " ".join(name.replace("\\\n", " ").split())
        return Item("entry", head, block, "", self.closing, group=group)

    def _taken(self, count: int) -> str:
        taken = "".join(self.lines[self.number : self.number + count])
        self.number += count
        return taken

    def _remark(self) -> int:
        for count, line in enumerate(self.lines[self.number :], 1):
            if "*/" in line:
                if line.strip().partition("*/")[2]:
                    raise self.fail("a setting behind a remark")
                return count
        raise self.fail("a remark is not closed")

    def _script(self) -> int:
        for count, line in enumerate(self.lines[self.number :], 1):
            if line.strip() == "endscript":
                return count
        raise self.fail("a script is not ended")

    def _entry_lines(self) -> int:
        count = 1
        while self.number + count < len(self.lines):
            if not self.lines[self.number + count - 1].rstrip("\n").endswith("\\"):
                break
            count += 1
        return count


def _entry(text: str, *, fixed: bool = False) -> Item:
    lead = len(text) - len(text.lstrip())
    key, value_at = named(text.strip())
    value, tail = (text[lead + value_at :], "") if fixed else cut(text[lead + value_at :])
    if fixed:
        value, tail = value.removesuffix("\n"), "\n" * value.endswith("\n")
    leaf = Leaf(value, " ".join(value.replace("\\\n", " ").split()), fixed)
    return Item("entry", text[: lead + value_at], leaf, "", tail, group=key)


def _indent(block: Block) -> int:
    """Return how far the settings are indented; where there is none, the comments."""
    heads = [item.head for item in block.entries] or [item.head for item in block.items]
    first = next((head for head in heads if head.strip()), "")
    return len(first) - len(first.lstrip(" "))


_SEQUENTIAL = ("RewriteRule", "RewriteCond", "SetEnvIf", "Redirect", "if ", "if(", "elsif ",
               "else", "<If ", "<ElseIf ", "<Else", "passdb", "userdb", "update ", "switch ",
               "case ", UNNAMED)  # fmt: skip
"""What begins so is tried from the top to the bottom."""


def _order_matters(path: Key, keys: Sequence[str]) -> bool:
    return any(key.startswith(_SEQUENTIAL) for key in keys)


FORMAT = Format("blocks", read, values, Meaning(ordered=_order_matters, repeats=True))
