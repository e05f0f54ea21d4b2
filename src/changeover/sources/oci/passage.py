"""The bytes of one blob on their way from a source to a target: never all in memory, never on disk.

The source is opened again where it broke off; everything is hashed once; the last bytes are held
back until the digest is right, so that no target ever sees a whole blob that is wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from changeover.sources.oci.fault import Corrupt, ImageFault, Passing
from changeover.sources.oci.media import Descriptor
from changeover.sources.oci.patience import Budget, Patience, Stopped
from changeover.sources.oci.wire import BUFFER


class Stream(Protocol):
    """Bytes from a source."""

    def readinto(self, view: memoryview, /) -> int:
        """Fill a buffer; 0 at the end."""

    def close(self) -> None:
        """Let go of it."""


Opener = Callable[[int], Stream]
"""Opens a blob at an offset."""


@dataclass(frozen=True)
class Part:
    """Some of a passage, as the body of a request."""

    passage: Passage
    length: int

    def pour(self, send: Callable[[memoryview], None]) -> None:
        """Send exactly `length` bytes."""
        self.passage.pour(send, self.length)


class Passage:
    """One blob between its source and its target."""

    def __init__(
        self,
        blob: Descriptor,
        opener: Opener,
        budget: Budget,
        moved: Callable[[int], None] = lambda _: None,
        where: str = "",
    ) -> None:
        self.blob, self.where = blob, where or blob.digest
        self._opener, self._budget, self._moved = opener, budget, moved
        self._patience = Patience(budget)
        self._hash = hashlib.new(blob.digest.partition(":")[0])
        self._hashed = 0
        self._stream: Stream | None = None
        self.position = 0
        """The offset of the next byte."""
        self.sent = 0
        """Bytes given to the target, those it lost included."""

    @property
    def left(self) -> int:
        """Bytes that are still to come."""
        return self.blob.size - self.position

    def move_to(self, offset: int) -> None:
        """Go on from another offset: the target has more, or less, than was sent."""
        if offset == self.position and offset:
            return
        self.close()
        self.position = offset
        if offset < self._hashed and offset == 0:
            self._hash, self._hashed = hashlib.new(self._hash.name), 0

    def part(self, length: int | None = None) -> Part:
        """Return the next bytes, all that is left by default, as a body."""
        return Part(self, self.left if length is None else min(length, self.left))

    def pour(self, send: Callable[[memoryview], None], length: int) -> None:
        """Give the next bytes to a target; raises `Corrupt` before the last ones if they are wrong.

        Raises `ImageFault` where the source fails for longer than the budget allows.
        """
        buffer = memoryview(bytearray(min(BUFFER, max(length, 1))))
        while length > 0:
            if self._budget.stop.is_set():
                raise Stopped
            view = buffer[: self._fill(buffer[:length])]
            self._digest(view)
            send(view)
            count = len(view)
            self.position += count
            self.sent += count
            length -= count
            self._moved(count)

    def close(self) -> None:
        """Let go of the source."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def drained(self) -> None:
        """Read everything and check it, for nobody's sake but its own."""
        try:
            self.pour(lambda _: None, self.left)
            if self.blob.size == 0:
                self._digest(memoryview(b""))
        finally:
            self.close()

    def _fill(self, view: memoryview) -> int:
        while True:
            try:
                if self._stream is None:
                    self._stream = self._opener(self.position)
                count = self._stream.readinto(view)
                if count:
                    return count
                raise Passing(f"{self.where}: ended {self.left} bytes early", "try again")
            except Passing as fault:
                self.close()
                self._wait(fault)

    def _wait(self, fault: Passing) -> None:
        if self.position > self._hashed_at_fault:
            self._patience.got_on()
        self._hashed_at_fault = self.position
        try:
            self._patience.wait(fault)
        except Passing:
            raise ImageFault(fault.message, fault.remedy) from None

    _hashed_at_fault = 0

    def _digest(self, view: memoryview) -> None:
        start = self.position
        if start <= self._hashed < start + len(view) or not view:
            self._hash.update(view[self._hashed - start :])
            self._hashed = start + len(view)
        if self._hashed != self.blob.size:
            return
        found = f"{self._hash.name}:{self._hash.hexdigest()}"
        if found != self.blob.digest:
            raise Corrupt(
                f"{self.where}: the source's bytes are {found}",
                "the source is damaged: push the image there again",
            )
