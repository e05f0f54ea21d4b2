"""YAML with the position of every key and value, read strictly.

The words are those of YAML 1.2's core schema: `on`, `yes` and `12:30` are strings. One departure: a
number written with a leading zero (`0640`, a phone number) stays the string it was written as,
because YAML 1.1 and 1.2 read two different numbers there (ADR 0201).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInput
from changeover.model.release import Where
from changeover.sources.yamlevents import Mark, Reader

LARGEST = 4 * 1024 * 1024
"""Bytes a file may have."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")

Place = tuple[str | int, ...]
"""The way to a value: keys and list positions from the top."""


@dataclass(frozen=True)
class Tree:
    """What a file says, as plain data, and where it says it."""

    value: Any
    file: str = ""
    mark: Mark = field(default_factory=Mark)

    def where(self, place: Sequence[str | int] = (), *, key: bool = False) -> Where:
        """Return the place of a value (or of its key), or of its parent if it is not there."""
        mark = self.mark
        at = (mark.line, mark.column)
        for word in place:
            found = mark.child(word)
            if found is None:
                return Where(self.file, *at)
            mark = found
            at = (mark.line, mark.column)
        if key and mark.key_line:
            at = (mark.key_line, mark.key_column)
        return Where(self.file, *at)

    def raw(self, place: Sequence[str | int]) -> str:
        """Return how a number or a word such as `true` was written; empty for text."""
        mark: Mark | None = self.mark
        for word in place:
            mark = mark.child(word) if mark else None
        return mark.raw if mark else ""


def read_tree(path: Path, shown: str = "") -> Tree:
    """Read a YAML file; raise `InvalidInput` with file, line and column where it is not one.

    Unlike content that is only kept, what it says may hold no zero byte.
    """
    name = shown or str(path)
    return _built(read_text(path, name), name, zeros=False)


def read_text(path: Path, shown: str) -> str:
    """Read a text file that people write; raise `InvalidInput` where it is not one."""
    try:
        with path.open("rb") as file:
            return _decoded(file.read(LARGEST + 1), shown)
    except FileNotFoundError:
        raise InvalidInput(f"{shown}: no such file", "create it, or correct the path") from None
    except IsADirectoryError:
        raise InvalidInput(f"{shown}: is a folder, not a file", "name a file") from None
    except OSError as error:
        raise InvalidInput(f"{shown}: cannot be read: {error.strerror}") from error


def parse_tree(content: bytes | str, file: str) -> Tree:
    """Parse YAML; raise `InvalidInput` with file, line and column where it is not valid."""
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return _built(_decoded(raw, file), file)


def _built(text: str, file: str, *, zeros: bool = True) -> Tree:
    value, mark = Reader(text, file, zeros=zeros).document()
    return Tree(value, file, mark)


def _decoded(raw: bytes, file: str) -> str:
    if len(raw) > LARGEST:
        raise InvalidInput(
            f"{file}: larger than {LARGEST // 1024 // 1024} MiB",
            "keep large contents in files of their own and name them",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = _position(raw[: error.start].decode("utf-8", "replace"))
        raise InvalidInput(
            f"{file}:{at}: byte 0x{raw[error.start]:02x} is not valid UTF-8", "save it as UTF-8"
        ) from None
    control = _CONTROL.search(text)
    if control:
        at = _position(text[: control.start()])
        raise InvalidInput(
            f"{file}:{at}: control character 0x{ord(control[0]):02x}: this is not a text file",
            "remove the character, or name the right file",
        )
    return text


def _position(before: str) -> str:
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
