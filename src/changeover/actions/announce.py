"""Telling people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.foreseen import missing
from changeover.errors import InvalidRelease
from changeover.hosts.command import Command, command
from changeover.hosts.host import Host
from changeover.model.findings import Finding, passed
from changeover.model.plan import Change, Effect
from changeover.tools import coreutils, curl


@dataclass(frozen=True)
class Announce(Action):
    """Tell people something, once: post it to an address, or hand it to a command.

    It is sent detached and under the name of this attempt: a run that is killed and resumed finds
    the outcome and does not send it again.
    """

    name: ClassVar[str] = "announce"
    harmless: ClassVar[bool] = True
    limit: ClassVar[float] = 120.0

    message: str
    """What to say."""
    url: str = ""
    """An address to post it to, as most chat services have them. It may be secret."""
    key: str = "text"
    """The key of the JSON object that holds the message; empty to post the bare message."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers to send; they may be secret."""
    words: tuple[str, ...] = ()
    """Instead of `url`: a command that reads the message on its standard input."""

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.words):
            raise InvalidRelease(f"{self.name}: url or words, one of them", "Remove the other one.")

    def check(self, host: Host) -> Iterable[Finding]:
        """The program that sends must be there."""
        program = self.words[0] if self.words else "curl"
        if host.ask(coreutils.which(program)).ok:
            yield passed(f"{program} is there")
        else:
            yield missing(host, f"{program} is not installed", f"Install {program}.")

    def plan(self, host: Host) -> Change:
        """Foretell the message."""
        return Change(Effect.RUN, f"announce: {self.message}")

    def apply(self, host: Host, change: Change) -> None:
        """Send it, exactly once for this attempt."""
        host.do_once(self._command())

    def verify(self, host: Host, change: Change) -> None:
        """Prove nothing more: the receiver's yes ended `apply`."""

    def _command(self) -> Command:
        if self.words:
            return command(*self.words, stdin=(self.message + "\n").encode())
        if not self.key:
            return curl.post(self.url, self.message, self.headers)
        body = json.dumps({self.key: self.message}, ensure_ascii=False)
        return curl.post(self.url, body, {"Content-Type": "application/json", **self.headers})
