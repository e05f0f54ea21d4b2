"""A host: a name and a transport that reaches it. This is all that actions see of a machine."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from changeover.errors import CommandFailed, OutOfTime
from changeover.hosts.command import Command, Completed
from changeover.hosts.tenure import Tenure

DEFAULT_LIMIT = 600.0
"""Seconds an attached command may take when nobody says otherwise."""


@dataclass(frozen=True)
class FileState:
    """What is at a path, read in one go."""

    kind: str
    """`file`, `dir`, `link`, `other` (a device, socket or pipe), or `absent`."""
    mode: int = 0
    """Permission bits, such as 0o640."""
    owner: str = ""
    group: str = ""
    digest: str = ""
    """sha256 of the content, for files."""
    target: str = ""
    """Where it points, for links (not followed)."""
    content: bytes | None = None
    """The content, for files of at most 1 MiB; None for others."""

    @property
    def there(self) -> bool:
        """Whether anything is at the path."""
        return self.kind != "absent"

    def fact(self) -> str:
        """Return one line that differs whenever the state differs."""
        if self.kind == "file":
            return f"file {self.mode:04o} {self.owner}:{self.group} sha256:{self.digest[:16]}"
        if self.kind == "dir":
            return f"dir {self.mode:04o} {self.owner}:{self.group}"
        return f"link -> {self.target}" if self.kind == "link" else self.kind


ABSENT = FileState("absent")


class Transport(Tenure, Protocol):
    """The whole seam to the outside. Every method raises `Unreachable` where the host went away."""

    @property
    def who(self) -> tuple[str, str, str]:
        """Return number, name and primary group of the user the host works as."""

    def run(self, command: Command, *, timeout: float, silence: float | None) -> Completed:
        """Run a command, attached; raise `OutOfTime` at a limit, `Unreachable` if cut off."""

    def once(
        self, key: str, command: Command, *, timeout: float, silence: float | None
    ) -> Completed:
        """Run a command detached, exactly once per key.

        Called again with the same key it never starts it again: it follows the one that runs, or
        returns the recorded outcome, or raises `InDoubt` where there is none to be learnt.
        """

    def look(self, path: str) -> FileState:
        """Return what is at a path (not following a link)."""

    def laid(self, folder: str) -> Mapping[str, FileState]:
        """Return what is only foreseen below a folder, by path; on a real host nothing is."""

    def write(self, path: str, content: bytes, *, mode: int, owner: str, group: str) -> None:
        """Replace a file in one rename (fsynced). Empty owner or group: the one that was there,
        or that of the user the host works as."""

    def remove(self, path: str) -> None:
        """Remove a file, link or empty folder if it is there."""

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link, replacing a link or file in one rename."""

    def make_folder(self, path: str, *, mode: int, owner: str, group: str) -> None:
        """Make a folder (parents too), or give the one that is there this mode and owner."""

    def keep(self, path: str) -> str:
        """Copy a file into the host's store (root only) and return its sha256 digest."""

    def restore(self, digest: str, path: str, *, mode: int, owner: str, group: str) -> None:
        """Bring a kept content back to a path in one rename, byte for byte."""

    def announce(self, line: str) -> None:
        """Append a line to the host's journal, at the latest with the next command sent."""


@dataclass(frozen=True)
class Host:
    """A named machine of the instance."""

    name: str
    transport: Transport
    state_dir: str = "/var/lib/changeover"
    """Where this tool may keep things of the instance on the host (mode 0700)."""
    vars: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    """Run, step and attempt this host acts for: names what must happen once."""
    limit: float = DEFAULT_LIMIT
    """Seconds for a command when the action names no limit of its own."""
    silence: float | None = None
    deadline: float | None = None
    """Monotonic time at which the step this host acts for has used up its limit."""
    heard: Callable[[Command, Completed], None] | None = None
    """Told of every command and what it said: what `changeover logs` shows."""

    def acting_for(
        self,
        key: str,
        *,
        limit: float | None,
        silence: float | None,
        heard: Callable[[Command, Completed], None] | None = None,
    ) -> Host:
        """Return this host as seen by one attempt of one step, whose commands share a limit."""
        most = limit or self.limit
        end = time.monotonic() + most
        return replace(self, key=key, limit=most, silence=silence, deadline=end, heard=heard)

    def ask(self, command: Command, *, timeout: float | None = None) -> Completed:
        """Run a command that may fail and look at the outcome."""
        limit = self._left(timeout)
        return self._told(command, self.transport.run(command, timeout=limit, silence=self.silence))

    def do(self, command: Command, *, timeout: float | None = None) -> str:
        """Run a command that must succeed and return its output."""
        return self._must(command, self.ask(command, timeout=timeout))

    def once(
        self, command: Command, *, label: str = "main", timeout: float | None = None
    ) -> Completed:
        """Run a long or unrepeatable command exactly once for this attempt of this step."""
        key = f"{self.key}/{label}"
        limit = self._left(timeout)
        done = self.transport.once(key, command, timeout=limit, silence=self.silence)
        return self._told(command, done)

    def do_once(
        self, command: Command, *, label: str = "main", timeout: float | None = None
    ) -> str:
        """Like `once`, for a command that must succeed."""
        return self._must(command, self.once(command, label=label, timeout=timeout))

    def look(self, path: str) -> FileState:
        """Return what is at a path."""
        return self.transport.look(path)

    def laid(self, folder: str) -> Mapping[str, FileState]:
        """Return what steps before will have made below a folder, where this is a shadow."""
        return self.transport.laid(folder)

    def read(self, path: str) -> bytes | None:
        """Return the content of a file (at most 1 MiB), or None if there is none."""
        return self.transport.look(path).content

    def write(
        self, path: str, content: bytes, *, mode: int = 0o644, owner: str = "", group: str = ""
    ) -> None:
        """Replace a file in one rename."""
        self.transport.write(path, content, mode=mode, owner=owner, group=group)

    def remove(self, path: str) -> None:
        """Remove a file, link or empty folder if it is there."""
        self.transport.remove(path)

    def link(self, path: str, target: str) -> None:
        """Point a symbolic link somewhere, in one rename."""
        self.transport.link(path, target)

    def make_folder(
        self, path: str, *, mode: int = 0o755, owner: str = "", group: str = ""
    ) -> None:
        """Make a folder, or mend its mode and owner."""
        self.transport.make_folder(path, mode=mode, owner=owner, group=group)

    def keep(self, path: str) -> str:
        """Copy a file into the host's store and return its digest."""
        return self.transport.keep(path)

    def restore(
        self, digest: str, path: str, *, mode: int = 0o644, owner: str = "", group: str = ""
    ) -> None:
        """Bring a kept content back."""
        self.transport.restore(digest, path, mode=mode, owner=owner, group=group)

    def _left(self, timeout: float | None) -> float:
        limit = timeout or self.limit
        if self.deadline is None:
            return limit
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise OutOfTime(
                f"{self.name}: the step used up its {self.limit:.0f} s", "give it a larger timeout"
            )
        return min(limit, left)

    def _told(self, command: Command, done: Completed) -> Completed:
        if self.heard:
            self.heard(command, done)
        return done

    def _must(self, command: Command, done: Completed) -> str:
        if not done.ok:
            said = done.stderr.strip() or done.stdout
            raise CommandFailed(self.name, str(command), done.code, said)
        return done.stdout


def digest(content: bytes) -> str:
    """Return the sha256 of a content, as `FileState.digest` has it."""
    return hashlib.sha256(content).hexdigest()
