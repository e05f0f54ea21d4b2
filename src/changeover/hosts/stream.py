"""Telling what a program printed from what the shell protocol says, on one stream of bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One line of the protocol: what the shell says about the request `number`."""

    number: int
    kind: str
    text: str


class Splitter:
    """Splits a stream into output and notes.

    A note is `mark number kind text` up to a newline. The mark holds 96 random bits that only the
    two ends know, and a note is written in one piece, so no output can look like or tear one.
    """

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[bytes | Note]:
        """Yield the output and the notes that the chunk completes, in their order."""
        pending = self._rest + chunk if self._rest else chunk
        while True:
            start = pending.find(self._mark)
            end = pending.find(b"\n", start) if start >= 0 else -1
            if end < 0:
                break
            if start:
                yield pending[:start]
            yield self._note(pending[start + len(self._mark) : end])
            pending = pending[end + 1 :]
        keep = len(pending) - start if start >= 0 else self._possible_mark(pending)
        self._rest = pending[len(pending) - keep :]
        if len(pending) > keep:
            yield pending[: len(pending) - keep]

    def _possible_mark(self, pending: bytes) -> int:
        """Return how many bytes at the end may be the beginning of a mark."""
        start = pending.rfind(self._mark[:1], max(0, len(pending) - len(self._mark) + 1))
        if start < 0:
            return 0
        return len(pending) - start if self._mark.startswith(pending[start:]) else 0

    @staticmethod
    def _note(line: bytes) -> Note:
        number, kind, text = [*line.decode(errors="replace").split(" ", 2), "", ""][:3]
        return Note(int(number), kind, text)
