"""Differences between two contents of a file, as people read them."""

from __future__ import annotations

from collections.abc import Iterator

LARGEST = 512 * 1024
"""Bytes above which a difference is told in one line: nobody reads it, and it takes seconds."""


def unified(path: str, old: bytes | None, new: bytes | None) -> str:
    """Return a unified diff, or one line where a side is binary or large; None is no file."""
    if old == new:
        return ""
    before, after = old or b"", new or b""
    if is_binary(before) or is_binary(after):
        return f"Binary file {path}: {_size(old)} -> {_size(new)}\n"
    if len(before) + len(after) > LARGEST:
        return f"Large file {path}: {_size(old)} -> {_size(new)}\n"
    labels = (path if old is not None else "/dev/null", path if new is not None else "/dev/null")
    return "".join(_lines(before.decode(), after.decode(), labels))


def is_binary(content: bytes) -> bool:
    """Say whether a content is no UTF-8 text."""
    if b"\0" in content:
        return True
    try:
        content.decode()
    except UnicodeDecodeError:
        return True
    return False


def _lines(before: str, after: str, labels: tuple[str, str]) -> Iterator[str]:
    from difflib import unified_diff  # noqa: PLC0415 - most plans need no diff

    for line in unified_diff(_split(before), _split(after), *labels):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _split(text: str) -> list[str]:
    # Not splitlines: it also splits at form feeds and other marks that end no line of a file.
    *lines, rest = text.split("\n")
    return [f"{line}\n" for line in lines] + [rest] * bool(rest)


def _size(content: bytes | None) -> str:
    return "nothing" if content is None else f"{len(content)} bytes"
