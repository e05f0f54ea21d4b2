"""Programs of the operator's machine that print something: never waited for beyond a limit."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path


def answered(
    words: Sequence[str], limit: float, *, stdin: bytes | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end; raises `OSError`, or `subprocess.TimeoutExpired` after `limit` s.

    What it started is ended with it: `subprocess.run` goes on waiting for whoever holds the output.
    """
    given = None if stdin is None else subprocess.PIPE
    with subprocess.Popen(
        words, cwd=cwd, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        try:
            out, err = program.communicate(stdin, timeout=limit)
        except BaseException:
            for pid in [*_below(program.pid), program.pid]:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(words, program.returncode, out, err)


def ending(done: subprocess.CompletedProcess[bytes]) -> str:
    """Say how a program ended: its exit code, and the last line it complained with."""
    why = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return f"exited {done.returncode}: {why or 'no message'}"


def _below(pid: int) -> Iterator[int]:
    """Yield what a process started, as far as that still belongs to it."""
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _below(int(child))
            yield int(child)
