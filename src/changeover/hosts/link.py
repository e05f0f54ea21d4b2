"""Bytes to and from a shell: a program whose three streams are pipes, `sh` itself or `ssh`."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import threading
from collections.abc import Mapping, Sequence

CHUNK = 1 << 18
PIPE_SIZE = 1 << 20
GRACE = 2.0
"""Seconds a program gets to end by itself when it is let go."""


class Gone(Exception):
    """The program ended or closed its output. `said` is what it left on its standard error."""

    def __init__(self, said: str = "") -> None:
        super().__init__(said)
        self.said = said


class Link:
    """A running program, its input and its two outputs."""

    def __init__(self, words: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        # A session of its own: Ctrl-C at the operator's terminal must not reach it.
        self._program = subprocess.Popen(
            list(words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=env,
            start_new_session=True,
        )
        self._in, self._out, self._err = (
            pipe.fileno()
            for pipe in (self._program.stdin, self._program.stdout, self._program.stderr)
            if pipe is not None
        )
        self._said = b""
        self._writing = threading.Lock()
        self._poll = select.poll()
        for stream in (self._out, self._err):
            self._poll.register(stream, select.POLLIN)
        _enlarge(self._out)

    def write(self, content: bytes | memoryview) -> None:
        """Write all of it; raise `Gone` where nobody reads."""
        view = memoryview(content)
        with self._writing:
            while view:
                try:
                    view = view[os.write(self._in, view[:CHUNK]) :]
                except (BrokenPipeError, OSError) as error:
                    raise self._gone() from error

    def read(self, seconds: float) -> tuple[bytes, bytes]:
        """Return what arrived on the two outputs within so long; raise `Gone` at the end."""
        out = err = b""
        for stream, _ in self._poll.poll(max(0, int(seconds * 1000 + 0.999))):
            chunk = os.read(stream, CHUNK)
            if stream == self._err:
                err = chunk
                self._said = (self._said + chunk)[-4096:]
                if not chunk:
                    self._poll.unregister(stream)
            elif chunk:
                out = chunk
            else:
                raise self._gone()
        return out, err

    def close(self) -> None:
        """Close its input, and end the program where that is not enough."""
        for pipe in (self._program.stdin, self._program.stdout, self._program.stderr):
            if pipe:
                pipe.close()
        if self._program.poll() is None:
            self._program.terminate()
            try:
                self._program.wait(GRACE)
            except subprocess.TimeoutExpired:
                self._program.kill()
                self._program.wait()

    def _gone(self) -> Gone:
        """Collect the last words; a connection shared by others may keep the stream open."""
        rest = select.poll()
        rest.register(self._err, select.POLLIN)
        while rest.poll(int(GRACE * 1000) if self._program.poll() is None else 50):
            chunk = os.read(self._err, CHUNK)
            if not chunk:
                break
            self._said = (self._said + chunk)[-4096:]
        return Gone(self._said.decode(errors="replace"))


def _enlarge(pipe: int) -> None:
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    except OSError:
        return  # a small pipe is only slower
