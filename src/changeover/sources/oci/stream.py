"""Bytes in memory as a stream."""

from __future__ import annotations


class Bytes:
    """Bytes in memory as a source's stream."""

    def __init__(self, content: bytes, offset: int = 0) -> None:
        self._left = memoryview(content)[offset:]

    def readinto(self, view: memoryview) -> int:
        """Fill a buffer; 0 at the end."""
        count = min(len(view), len(self._left))
        view[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def close(self) -> None:
        """Let go of nothing."""
