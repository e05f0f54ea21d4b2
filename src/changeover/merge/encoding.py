"""Bytes to text and back: line ends, final newline and byte order mark are merged as flags."""

from __future__ import annotations

import re
from dataclasses import dataclass

from changeover.merge.limits import MAX_BYTES
from changeover.merge.verdict import Unreadable

_STRAY = re.compile("[\ud800-\udfff]")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Source:
    """A file's text with plain line feeds, ending in one, and how the file writes them."""

    text: str
    bom: bool = False
    crlf: bool = False
    final_newline: bool = True

    def written(self, text: str) -> bytes:
        """Return a text as bytes the way this file writes them."""
        if text.endswith("\n") and not self.final_newline:
            text = text[:-1]
        if self.crlf:
            text = text.replace("\n", "\r\n")
        return (_BOM if self.bom else b"") + text.encode("utf-8", "surrogateescape")


def decode(content: bytes) -> Source:
    """Read a file's bytes; bytes that are not UTF-8 are kept as they are."""
    if len(content) > MAX_BYTES:
        raise Unreadable(f"{len(content):,} bytes; files beyond {MAX_BYTES:,} are not merged")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("the text is UTF-16, not UTF-8", 1)
    zero = content.find(b"\0")
    if zero >= 0:
        line = content.count(b"\n", 0, zero) + 1
        raise Unreadable("a zero byte: this is no text", line, zero - content.rfind(b"\n", 0, zero))
    bom = content.startswith(_BOM)
    text = content[3 if bom else 0 :].decode("utf-8", "surrogateescape")
    crlf = "\r\n" in text and text.count("\r\n") == text.count("\n")
    if crlf:
        text = text.replace("\r\n", "\n")
    final = text.endswith("\n") or not text
    return Source(text if final else text + "\n", bom, crlf, final)


def decode_side(content: bytes, which: str) -> Source:
    """Read the bytes of one of three files; the error names it."""
    try:
        return decode(content)
    except Unreadable as error:
        raise Unreadable(f"{which}: {error.what}", error.line, error.column) from error


def merged_flags(base: Source | None, ours: Source, theirs: Source) -> Source:
    """Merge how three files are written."""

    def flag(name: str) -> bool:
        mine, yours = bool(getattr(ours, name)), bool(getattr(theirs, name))
        old = yours if base is None else bool(getattr(base, name))
        return mine if yours == old else yours

    return Source("", flag("bom"), flag("crlf"), flag("final_newline"))


def require_utf8(text: str) -> None:
    """Refuse bytes that are not UTF-8, with their place."""
    if text.isascii() or not _STRAY.search(text):
        return
    for number, line in enumerate(text.split("\n"), 1):
        for column, sign in enumerate(line, 1):
            if "\udc80" <= sign <= "\udcff":
                byte = ord(sign) - 0xDC00
                raise Unreadable(f"the byte 0x{byte:02x} is not UTF-8", number, column)
