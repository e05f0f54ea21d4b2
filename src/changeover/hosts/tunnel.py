"""A tunnel to a host that is opened again when it breaks."""

from __future__ import annotations

import os
import re
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO

from changeover.errors import InvalidInput, Unreachable
from changeover.hosts.ssh import ssh_words
from changeover.model.instance import HostSpec

LONGEST_PAUSE = 30.0
OPEN_LIMIT = 30.0
"""Seconds until a connection counts as not coming about."""
READY = "tunnel-is-open"

_FORWARD = re.compile(r"(?:(?P<port>\d+):)?(?P<host>[^:\s]+|\[[0-9a-fA-F:]+\]):(?P<to>\d+)|(\d+)")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Forward:
    """A port at one end, and what is reached through it from the other."""

    direction: str
    """`R`: a port on the host leads here; `L`: a port here leads to the host."""
    port: int
    host: str
    to: int

    @property
    def word(self) -> str:
        """Return it as ssh wants it; the port is for the machine it is on alone."""
        return f"127.0.0.1:{self.port}:{self.host}:{self.to}"

    def said(self, name: str) -> str:
        """Return what it does, for people."""
        here, there = f"127.0.0.1:{self.port}", f"{self.host}:{self.to}"
        if self.direction == "R":
            return f"{here} on {name} leads to {there} as seen from here"
        return f"{here} here leads to {there} as seen from {name}"


def parse_forward(direction: str, text: str) -> Forward:
    """Read `PORT`, `HOST:PORT` or `PORT:HOST:PORT`; raises `InvalidInput`."""
    found = _FORWARD.fullmatch(text)
    if not found:
        raise InvalidInput(f"-{direction} {text}: is no forward", "write PORT or PORT:HOST:PORT")
    to = int(found["to"] or found[4])
    port = int(found["port"] or to)
    if not (0 < port < 65536 and 0 < to < 65536):
        raise InvalidInput(f"-{direction} {text}: is no port", "ports go from 1 to 65535")
    return Forward(direction, port, found["host"] or "localhost", to)


def tunnel_words(spec: HostSpec, forwards: Sequence[Forward]) -> tuple[str, ...]:
    """Build the ssh command that holds the tunnel and says when it is open."""
    if spec.transport != "ssh":
        raise InvalidInput(f"{spec.name}: is this machine: it needs no tunnel", "name another host")
    # What is forwarded is all there is: a tunnel without its ports is none.
    options = {**spec.options, "ClearAllForwardings": "no", "ExitOnForwardFailure": "yes"}
    words = ssh_words(replace(spec, options=options))
    asked = [word for f in forwards for word in (f"-{f.direction}", f.word)]
    return (*words[:-2], *asked, *words[-2:], f"echo {READY}; exec cat >/dev/null")


def hold(spec: HostSpec, forwards: Sequence[Forward], say: Say) -> None:
    """Keep a tunnel open until interrupted; raise `Unreachable` where it never came about."""
    words, pause, was_open = tunnel_words(spec, forwards), 1.0, False
    while True:
        with _running(words) as attempt:
            if attempt.opened():
                was_open, pause = True, 1.0
                say(f"open to {spec.name}; Ctrl-C closes it")
            why = attempt.outcome()
        if not was_open:
            raise Unreachable(
                f"{spec.name}: no tunnel: {why}",
                f"is a port taken already? changeover instance ping; ssh -v {spec.name}",
            )
        say(f"lost ({why}); again in {pause:.0f} s")
        time.sleep(pause)  # nothing tells when a network is back
        pause = min(2 * pause, LONGEST_PAUSE)


@dataclass(frozen=True)
class _Attempt:
    program: subprocess.Popen[bytes]
    said: IO[bytes]

    def opened(self) -> bool:
        """Wait until the host says it is there; ssh itself gives up in time."""
        output = self.program.stdout
        if output is None or not select.select([output], [], [], OPEN_LIMIT)[0]:
            self.program.terminate()
            return False
        return output.readline().strip() == READY.encode()

    def outcome(self) -> str:
        """Wait for the end; return ssh's last line."""
        self.program.wait()
        self.said.seek(max(0, self.said.seek(0, os.SEEK_END) - 4096))
        text = self.said.read().decode("utf-8", "replace")
        return text.strip().rpartition("\n")[2].strip() or "it ended"


@contextmanager
def _running(words: Sequence[str]) -> Iterator[_Attempt]:
    # What ssh says goes to a file: it complains of each request, and nobody may be reading.
    with tempfile.TemporaryFile() as said:
        # A session of its own: Ctrl-C is for us, who then end it in order.
        program = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield _Attempt(program, said)
        finally:
            program.terminate()
            program.communicate()
