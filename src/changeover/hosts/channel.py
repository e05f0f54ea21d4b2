"""One shell kept open on a host: calls one at a time, asides at any time, over one link."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from changeover.hosts.link import Gone, Link
from changeover.hosts.stream import Note, Splitter

SCRIPTS = ("shell", "lease", "once")
OUTPUT_CAP = 16 << 20
"""Bytes of output a call may have; whatever prints more must print to a file."""
INLINE_CAP = 1 << 16
"""Bytes of input sent as part of a request; more is sent by itself, counted."""
ANSWER_LIMIT = 60.0
"""Seconds a shell may take for what needs no time: a host that takes longer is away."""
SLOWEST = 100_000
"""Bytes per second below which a connection counts as lost."""
PIECE = 4 << 20
"""Bytes sent at once."""
SLICE = 1.0
"""Seconds after which a reading thread looks whether the channel was closed meanwhile."""
STOP_GRACE = 5.0
"""Seconds between asking a program to end and ending it."""


class TooLong(Exception):
    """A call reached a limit and was ended. The text says which."""


class TooMuch(Exception):
    """A call printed more than the cap and was ended."""


@dataclass(frozen=True)
class Limit:
    """Seconds a call may take in total, and how long it may be silent."""

    total: float
    silence: float | None = None


@dataclass
class Call:
    """A request under way, and then its answer."""

    number: int
    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)
    notes: dict[str, str] = field(default_factory=dict)
    """What the shell said about it, by kind; `begin` holds the process id."""
    heard: float = 0.0
    ended: set[bool] = field(default_factory=set)
    """Which streams are complete: False for output, True for errors."""

    @property
    def done(self) -> bool:
        """Whether both streams are complete (an aside is answered by a single note)."""
        return len(self.ended) == 2 or "answer" in self.notes

    @property
    def code(self) -> int:
        """The exit code."""
        return int(self.notes["end"])


class Channel:
    """Speaks the protocol of `shell.sh`. Any `Gone` or interruption leaves it closed."""

    def __init__(self, link: Link, setting: str) -> None:
        secret = os.urandom(12).hex()
        self._link, self._setting, self._secret = link, setting, secret
        mark = f"\x1e{secret} ".encode()
        self._splitters = {False: Splitter(mark), True: Splitter(mark)}
        self._numbers = 0
        self._calls = {0: Call(0)}
        self._speaking: dict[bool, Call | None] = {False: None, True: None}
        self._turn = threading.Condition()
        self._reading = False
        self._calling = threading.Lock()
        self._listening = threading.Lock()
        self.closed = False

    def greet(self) -> None:
        """Start the shell and wait until it answers; raises `Gone` if it never does."""
        # Not while it is made: who cannot write must have something to close.
        self._link.write(self._greeting())
        hello = self._calls[0]
        self._await(hello, time.monotonic() + ANSWER_LIMIT)
        if not hello.done:
            raise Gone("the host does not answer")

    def call(self, text: str, limit: Limit) -> Call:
        """Run a request in the working shell; raises `Gone`, `TooLong` or `TooMuch`."""
        with self._calling:
            call = self._expect()
            whole = quote(f"{{ co_number={call.number}\n{text}\n}}")
            try:
                self._link.write(f"printf '%s\\n' {whole} >&3\n".encode())
                self._follow(call, limit)
            except BaseException:
                if not call.done:
                    self.close()
                raise
            finally:
                self._calls.pop(call.number, None)
        return call

    def aside(self, text: str, seconds: float = ANSWER_LIMIT) -> str:
        """Run a short request beside a call that may be under way; return its one-line answer.

        The text must set nothing but print a short answer on its standard output.
        """
        call = self._expect()
        whole = f'co_answer {call.number} "$({{ {text}\n}} </dev/null 2>&1)"\n'
        try:
            with self._listening:
                self._link.write(whole.encode())
            self._await(call, time.monotonic() + seconds)
        finally:
            self._calls.pop(call.number, None)
        if not call.done:
            raise Gone("no answer")
        return call.notes["answer"]

    def send(self, content: bytes, path: str) -> bool:
        """Store content of any size at a new path of the host (mode 0600), its length checked."""
        view = memoryview(content)
        ends = range(PIECE, len(content) + PIECE, PIECE)
        # In pieces, so that a lease can be renewed in between.
        return all(self._send(view[end - PIECE : end], path, end - PIECE) for end in ends)

    def _send(self, piece: memoryview, path: str, start: int) -> bool:
        size, into, call = len(piece), ">>" if start else ">", self._expect()
        text = (
            f"(umask 077; {'' if start else 'set -C; '}exec head -c {size} {into}{quote(path)}) && "
            f'[ "$(stat -c %s {quote(path)})" = {start + size} ] && '
            f"co_note {call.number} answer stored || "
            # What is left of the content must never be read as commands.
            f"{{ rm -f {quote(path)}; co_note {call.number} answer failed; exit 1; }}\n"
        )
        with self._calling, self._listening:
            try:
                self._link.write(f"co_note {call.number} ready ''\n{text}".encode())
                self._await(call, time.monotonic() + ANSWER_LIMIT, "ready")
                # A full disk ends the reader in the middle: its word is still to be heard.
                if "ready" in call.notes:
                    with suppress(Gone):
                        self._link.write(piece)
                self._await(call, time.monotonic() + ANSWER_LIMIT + size / SLOWEST)
            finally:
                self._calls.pop(call.number, None)
            if call.notes.get("answer") != "stored":
                self.close()
                return False
        return True

    def close(self) -> None:
        """Let the shell go."""
        self.closed = True
        with self._turn:
            self._turn.wait_for(lambda: not self._reading, 2 * SLICE)
            self._link.close()

    def _greeting(self) -> bytes:
        scripts = [Path(__file__).with_name(f"{name}.sh").read_text() for name in SCRIPTS]
        text = f"co_mark='\x1e{self._secret} '\n{self._setting}\n" + "\n".join(scripts)
        # Both shells know everything: the one that works and the one that listens.
        return (
            f'co_text={quote(text)}\neval "$co_text"\nprintf "%s\\n" "$co_text" >&3\n'.encode()
            + b"co_note 0 answer hello\n"
        )

    def _expect(self) -> Call:
        with self._turn:
            self._numbers += 1
            call = Call(self._numbers, heard=time.monotonic())
            self._calls[call.number] = call
        return call

    def _follow(self, call: Call, limit: Limit) -> None:
        # The time to connect and to be heard is not the command's.
        self._await(call, time.monotonic() + ANSWER_LIMIT, "begin")
        if "begin" not in call.notes:
            raise Gone("the host does not answer")
        end = time.monotonic() + limit.total
        while not call.done:
            quiet = call.heard + limit.silence if limit.silence else end
            self._await(call, min(end, quiet))
            if call.done:
                return
            if len(call.out) + len(call.err) > OUTPUT_CAP:
                self._stop(call)
                raise TooMuch
            now = time.monotonic()
            if now >= end:
                self._stop(call)
                raise TooLong(f"took longer than {limit.total:g} s")
            if limit.silence and now >= call.heard + limit.silence:
                self._stop(call)
                raise TooLong(f"was silent for longer than {limit.silence:g} s")

    def _stop(self, call: Call) -> None:
        """End the program of a call: asked first, then without asking; else give the shell up."""
        for signal in ("TERM", "KILL"):
            self.aside(f"co_signal {signal} {call.notes['begin']}")
            until = time.monotonic() + STOP_GRACE
            while not call.done and time.monotonic() < until:
                self._await(call, until)
                call.out.clear()
                call.err.clear()
            if call.done:
                return
        self.close()

    def _await(self, call: Call, until: float, kind: str = "") -> None:
        """Read, or let another thread read for us, until the call is done or the time is over.

        Returns early whenever something arrived that the caller has to judge: a full buffer, a
        note of the kind.
        """
        while not call.done and kind not in call.notes:
            seconds = until - time.monotonic()
            if seconds <= 0 or len(call.out) + len(call.err) > OUTPUT_CAP:
                return
            with self._turn:
                if self._reading:
                    self._turn.wait(seconds)
                    continue
                self._reading = True
            try:
                self._route(*self._read(seconds))
            finally:
                with self._turn:
                    self._reading = False
                    self._turn.notify_all()

    def _read(self, seconds: float) -> tuple[bytes, bytes]:
        if self.closed:
            raise Gone("the connection was closed")
        return self._link.read(min(seconds, SLICE))

    def _route(self, out: bytes, err: bytes) -> None:
        for errors, chunk in ((False, out), (True, err)):
            for piece in self._splitters[errors].feed(chunk) if chunk else ():
                if isinstance(piece, Note):
                    self._note(errors, piece)
                elif (call := self._speaking[errors]) is not None:
                    (call.err if errors else call.out).extend(piece)
                    call.heard = time.monotonic()

    def _note(self, errors: bool, note: Note) -> None:
        call = self._calls.get(note.number)
        if note.kind == "begin":
            self._speaking[errors] = call
        elif note.kind == "end":
            self._speaking[errors] = None
        if call is None:
            return
        if not errors:
            if call.notes.get(note.kind) != note.text:
                call.heard = time.monotonic()
            call.notes[note.kind] = note.text
        if note.kind == "end":
            call.ended.add(errors)
