"""Requests to a host's shell: opened when first needed, fenced, carrying the journal's lines."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from shlex import quote
from typing import ClassVar

from changeover.errors import ActionFailed, Fenced, InvalidInput, NotReady, OutOfTime
from changeover.hosts.channel import INLINE_CAP, OUTPUT_CAP, Call, Channel, Limit, TooLong, TooMuch
from changeover.hosts.link import Gone
from changeover.hosts.reach import Reach
from changeover.model.secret import Masker

PLAIN = {9, 10, *range(32, 127)} - {ord("%"), ord("\\")}
"""What every shell takes as it is between quotes, and its `printf` in a format."""
ESCAPES = {byte: f"\\{byte:03o}" for byte in set(range(256)) - PLAIN}
LONGEST_LINE = 4000
"""Bytes of a journal line: shells split longer writes, and concurrent ones would mix."""
CONNECTING = threading.BoundedSemaphore(8)
"""Logins under way at once: behind one jump host, sshd drops some of more than ten."""
QUICK = Limit(60.0)
COPYING = Limit(3600.0, 3600.0)
MAKE_ROOM = "Make room on its disk, then try again."
# The built-in `printf` of a shell calls it an I/O error.
_FULL = ("No space left on device", "Disk quota exceeded", "I/O error")


@dataclass(frozen=True)
class Request:
    """A piece of shell text and how to run it."""

    text: str
    """What runs `apart` begins with `co_go &&` in a subshell of its own."""
    what: str = ""
    """What it does to the host, for whoever finds it running; empty if it only reads."""
    limit: Limit = QUICK
    apart: bool = False
    """Whether it runs in a process of its own, which can be ended without the shell."""
    tells: bool = True
    """Whether it carries the lines that were announced: only who holds the lease may write them."""


class Calls:
    """The part all abilities share: one channel, the token, the lines to be announced."""

    live: ClassVar[set[str]] = set()
    """Names of the shells this very process has open, on all hosts."""

    def __init__(self, reach: Reach, state_dir: str, masker: Masker | None = None) -> None:
        self.reach, self.state_dir = reach, state_dir.rstrip("/")
        self.token = ""
        self._masker = masker or Masker()
        self._channel: Channel | None = None
        self._shell = ""
        self._lines: list[str] = []
        self._sent: list[str] = []
        self._opening = threading.RLock()
        self._asking = threading.RLock()
        self._telling = threading.Lock()

    @property
    def name(self) -> str:
        """The host's name."""
        return self.reach.name

    def announce(self, line: str) -> None:
        """Queue a line for the host's journal: the next request writes it before its effect.

        A line may be written twice where a connection is lost: `journal_lines` gives it once.
        """
        if "\n" in line or len(line.encode()) > LONGEST_LINE:
            raise ValueError(f"a journal line is one line of at most {LONGEST_LINE} bytes")
        with self._telling:
            self._lines.append(line)

    def flush(self) -> None:
        """Write the queued lines now."""
        if self._lines:
            self._ask(Request(":", what="journal"), "write the journal")

    def close(self) -> None:
        """Let the host go; queued lines are not written."""
        with self._opening:
            if self._channel is not None:
                self._channel.close()
                self._channel = None
            self.live.discard(self._shell)

    def _open(self) -> Channel:
        """Return the channel; a lease may be renewed while another thread works with it."""
        with self._opening:
            if self._channel is None or self._channel.closed:
                self.close()
                self._shell = os.urandom(8).hex()
                try:
                    with CONNECTING:
                        self._channel = Channel(self.reach.open(), self._setting_of_shell())
                        self._channel.greet()
                except Gone as fault:
                    self.close()
                    raise self.reach.gone(fault, "connect") from fault
                self.live.add(self._shell)
            return self._channel

    def _setting_of_shell(self) -> str:
        record = f"{self.state_dir}/shells/{self._shell}"
        return f"co_dir={quote(self.state_dir)} co_record={quote(record)} co_token={self.token}"

    def _ask(self, request: Request, doing: str) -> Call:
        """Send a request with the lines to announce; raise what stopped it."""
        with self._asking:
            lines = tuple(self._lines) if request.tells else ()
            call = self._answer(request, self._text(request, lines), doing)
            self._admit(call)
            with self._telling:
                del self._lines[: len(lines)]
        return call

    def _text(self, request: Request, lines: tuple[str, ...]) -> str:
        told = " ".join(map(quote, (self._masked(request.what), *lines)))
        text = f"co_go() {{ co_begin {told}; }}\n"
        if request.apart:
            text += f"{request.text}\nco_end $?"
        else:
            idle = "\nco_idle" if request.what and self.token else ""
            text += f"co_go && {{ {request.text}\n}} </dev/null\nco_end $?{idle}"
        if self._sent:
            # A request that was refused has not used its input.
            text += f"\nrm -f {' '.join(self._sent)} </dev/null"
            self._sent = []
        return text

    def _answer(self, request: Request, text: str, doing: str) -> Call:
        try:
            return self._open().call(text, request.limit)
        except Gone as fault:
            raise self.reach.gone(fault, doing) from fault
        except TooLong as fault:
            raise OutOfTime(f"{self.name}: {doing}: {fault}, and was ended") from fault
        except TooMuch as fault:
            raise ActionFailed(
                f"{self.name}: {doing}: printed more than {OUTPUT_CAP >> 20} MiB, and was ended",
                "Let it print to a file.",
            ) from fault

    def _admit(self, call: Call) -> None:
        if "fenced" in call.notes:
            raise Fenced(
                f"{self.name}: the lock is no longer ours: nothing was done",
                "See who has it: `changeover lock status`.",
            )
        if "full" in call.notes:
            raise NotReady(
                f"{self.name}: {self.state_dir}: {last_line(call)}: nothing was done",
                "Make room there, or let `state_dir` name a folder this user may write to.",
            )

    def _masked(self, shown: str) -> str:
        return self._masker.text(shown).partition("\n")[0][:300]

    def _sent_ahead(self, content: bytes) -> str:
        """Send content ahead of the request that uses it; return its path, quoted.

        The request after this one removes it, whatever becomes of it.
        """
        folder = self.state_dir if self.token else "/tmp"  # noqa: S108 - created exclusively, 0600
        path = f"{folder}/changeover.{os.urandom(8).hex()}"
        try:
            stored = self._open().send(content, path)
        except Gone as fault:
            raise self.reach.gone(fault, "send") from fault
        if not stored:
            raise ActionFailed(f"{self.name}: {path}: no room for {len(content)} bytes", MAKE_ROOM)
        self._sent.append(quote(path))
        return quote(path)


def literal(content: bytes) -> str | None:
    """Return content as a quoted format of the shell's own `printf`; None if it gets too long."""
    if len(content) > INLINE_CAP:
        return None
    text = content.decode("latin-1").translate(ESCAPES)
    return quote(text) if len(text) <= INLINE_CAP else None


def absolute(path: str) -> str:
    """Return the path quoted for a shell; raises `InvalidInput` unless it is absolute."""
    if not path.startswith("/") or "\0" in path:
        raise InvalidInput(f"{path!r}: not an absolute path", "Begin it with `/`.")
    return quote(path)


def is_full(said: str) -> bool:
    """Say whether a program complains of a disk without room."""
    return any(word in said for word in _FULL)


def last_line(call: Call) -> str:
    """Return the last line a call complained with."""
    return call.err.decode(errors="replace").strip().rpartition("\n")[2] or f"exit {call.code}"
