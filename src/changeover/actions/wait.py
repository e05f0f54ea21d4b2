"""Waiting for an outcome, never for a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from changeover.actions.question import NotSo, Question
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.command import Command
from changeover.hosts.host import Host
from changeover.model.plan import Change
from changeover.tools import network


@dataclass(frozen=True)
class Port(Question):
    """Wait until a port is open, closed, or (a local one) has no connection left.

    `idle` is for what is about to be stopped: once nothing new is sent there, it waits for the
    requests under way, so that stopping cuts none.
    """

    name: ClassVar[str] = "wait.port"

    port: int
    """The TCP port."""
    address: str = "127.0.0.1"
    """Where it is, as the host reaches it."""
    until: Literal["open", "closed", "idle"] = "open"
    """What to wait for."""
    within: float = 30.0
    """Seconds to wait."""
    tolerate: bool = False
    """Whether to go on when the time is up."""

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise InvalidRelease(f"{self.name}: port: {self.port} is no port", "Write 1 to 65535.")

    def wanted(self) -> str:
        """Say what must be so."""
        word = "has no connection left" if self.until == "idle" else f"is {self.until}"
        return f"port {self.port} of {self.address} {word}"

    def patience(self) -> float:
        """Return how long it is awaited."""
        return self.within

    def remedy(self) -> str:
        """Say where to look."""
        return "Look at the log of the program that should be there: wrong port, or it crashed."

    def ask(self, host: Host) -> None:
        """Look once."""
        if self.until == "idle":
            self._ask_connections(host)
            return
        is_open = host.ask(network.connect(self.address, self.port)).ok
        if is_open != (self.until == "open"):
            raise NotSo("somebody answers" if is_open else "nobody answers")

    def _ask_connections(self, host: Host) -> None:
        told = host.ask(network.sockets()).stdout
        left = network.count(told, self.port, network.ESTABLISHED)
        if left:
            raise NotSo(f"{left} connections are open")

    def verify(self, host: Host, change: Change) -> None:
        """Wait; with `tolerate` the end of the time is the end of the wait, not a failure."""
        try:
            super().verify(host, change)
        except ActionFailed:
            if not self.tolerate:
                raise


@dataclass(frozen=True)
class UntilCommand(Question):
    """Wait until a command says that something has happened.

    The command only looks, and is run again until it exits with `code` and prints what is wanted.
    What it said last is in the error.
    """

    name: ClassVar[str] = "wait.command"
    limit: ClassVar[float] = 3600.0

    words: tuple[str, ...]
    """The command and its arguments."""
    what: str = ""
    """What is awaited, in words: `the queue is empty`."""
    matches: str = ""
    """A regular expression that must be found in its output."""
    code: int = 0
    """The exit code that says yes."""
    cwd: str = ""
    """Where it runs."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Settings, not secret."""
    user: str = ""
    """Run it as this user; empty for the one the host works as."""
    within: float = 60.0
    """Seconds to wait."""

    def __post_init__(self) -> None:
        if not self.words:
            raise InvalidRelease(f"{self.name}: words: empty", "Write [program, argument, ...].")
        try:
            re.compile(self.matches)
        except re.error as error:
            raise InvalidRelease(
                f"{self.name}: matches: no regular expression: {error}",
                "Escape what is meant as it is.",
            ) from None

    def wanted(self) -> str:
        """Say what must be so."""
        return self.what or f"`{self._command()}` says yes"

    def patience(self) -> float:
        """Return how long it is awaited."""
        return self.within

    def remedy(self) -> str:
        """Say how to look."""
        return f"Run it on the host to see more: {self._command()}"

    def ask(self, host: Host) -> None:
        """Run it once."""
        done = host.ask(self._command())
        last = (done.stdout.strip() or done.stderr.strip()).rpartition("\n")[2]
        if done.code != self.code:
            raise NotSo(f"exit code {done.code}: {last or 'it said nothing'}")
        if not re.search(self.matches, done.stdout, re.MULTILINE):
            raise NotSo(f"it says: {last or 'nothing'}")

    def _command(self) -> Command:
        return Command(self.words, b"", self.cwd, self.env, self.user)
