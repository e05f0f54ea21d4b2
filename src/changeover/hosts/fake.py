"""A transport with scripted replies, for tests and for people who write actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from changeover.errors import Fenced
from changeover.hosts.command import Command, Completed
from changeover.hosts.host import ABSENT, FileState, digest
from changeover.hosts.tenure import Lease, Leftover


class Unscripted(AssertionError):
    """A command was run that the script of a fake host does not know."""


@dataclass
class FakeTransport:
    """Answers from a script and remembers what it was told. An unscripted command is an error."""

    replies: Mapping[str, Completed | list[Completed]] = field(default_factory=dict)
    files: dict[str, FileState] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    fed: list[bytes] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)
    finished: dict[str, Completed] = field(default_factory=dict)
    journal: list[str] = field(default_factory=list)
    lease: Lease | None = None
    """Who has the lock; put another one here to steal it."""
    armed: int | None = None
    """The token this transport proves before it does anything."""
    left_over: list[Leftover] = field(default_factory=list)
    """What runs on from an earlier shell."""

    @property
    def who(self) -> tuple[str, str, str]:
        """Work as root."""
        return "0", "root", "root"

    def run(self, command: Command, *, timeout: float, silence: float | None) -> Completed:
        """Answer from the script: the last reply of a list repeats."""
        self._prove()
        self.ran.append(str(command))
        self.fed.append(command.stdin)
        if str(command) not in self.replies:
            raise Unscripted(f"no reply for: {command}")
        reply = self.replies[str(command)]
        if isinstance(reply, list):
            return reply.pop(0) if len(reply) > 1 else reply[0]
        return reply

    def once(
        self, key: str, command: Command, *, timeout: float, silence: float | None
    ) -> Completed:
        """Run it the first time, remember the outcome."""
        if key not in self.finished:
            self.finished[key] = self.run(command, timeout=timeout, silence=silence)
        return self.finished[key]

    def look(self, path: str) -> FileState:
        """Return what was put at the path."""
        return self.files.get(path, ABSENT)

    def laid(self, folder: str) -> Mapping[str, FileState]:
        """Return nothing: what is here stands for what is real."""
        return {}

    def write(self, path: str, content: bytes, *, mode: int, owner: str, group: str) -> None:
        """Keep the content."""
        self._prove()
        old = self.files.get(path, FileState("file", owner="root", group="root"))
        self.files[path] = FileState(
            "file", mode, owner or old.owner, group or old.group, digest(content), "", content
        )

    def remove(self, path: str) -> None:
        """Forget the path."""
        self.files.pop(path, None)

    def link(self, path: str, target: str) -> None:
        """Remember the link."""
        self.files[path] = FileState("link", target=target)

    def make_folder(self, path: str, *, mode: int, owner: str, group: str) -> None:
        """Remember the folder."""
        self.files[path] = FileState("dir", mode, owner or "root", group or "root")

    def keep(self, path: str) -> str:
        """Remember the content."""
        content = self.files[path].content or b""
        self.kept[digest(content)] = content
        return digest(content)

    def restore(self, digest: str, path: str, *, mode: int, owner: str, group: str) -> None:
        """Bring the content back."""
        self.write(path, self.kept[digest], mode=mode, owner=owner, group=group)

    def announce(self, line: str) -> None:
        """Remember the line."""
        self.journal.append(line)

    def flush(self) -> None:
        """Prove the lease: the lines are there already."""
        self._prove()

    def journal_lines(self) -> list[str]:
        """Return the remembered lines, each once."""
        return list(dict.fromkeys(self.journal))

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def lock_take(
        self, token: int, holder: str, ttl: float, *, force: bool = False
    ) -> Lease | None:
        """Take the lease unless somebody has it."""
        if self.lease is not None and not force:
            return self.lease
        self.lease, self.armed = Lease(token, holder, ttl), token
        return None

    def lock_renew(self) -> None:
        """Prove the lease."""
        self.arm(0)
        self._prove()

    def lock_release(self) -> None:
        """Give the lease up if it is still ours."""
        if self.lease is not None and self.lease.token == self.armed:
            self.lease = None
        self.armed = None

    def lock_show(self) -> Lease | None:
        """Return who has the lease."""
        return self.lease

    def arm(self, token: int) -> None:
        """Insist that a lease is held."""
        if self.armed is None:
            raise Fenced("no lock is held")

    def leftover(self) -> Leftover | None:
        """Return what runs on from an earlier shell."""
        return self.left_over[0] if self.left_over else None

    def wait_leftover(self, timeout: float) -> bool:
        """Do not wait: it runs until it is ended."""
        return not self.left_over

    def end_leftover(self) -> bool:
        """End it."""
        self.left_over.clear()
        return True

    def running(self, prefix: str = "") -> tuple[str, ...]:
        """Return nothing: what was started has finished."""
        return ()

    def cancel(self, key: str) -> None:
        """Do nothing: what was started has finished."""

    def retire(self, prefix: str) -> None:
        """Forget the outcomes of these keys."""
        for key in [key for key in self.finished if key.startswith(prefix)]:
            del self.finished[key]

    def _prove(self) -> None:
        """Raise `Fenced` if the lease was stolen."""
        if self.armed is not None and (self.lease is None or self.lease.token != self.armed):
            raise Fenced("the lock is no longer ours: nothing was done")


def fake_file(content: bytes, mode: int = 0o644, owner: str = "root") -> FileState:
    """Make the state of a file for a fake host."""
    return FileState("file", mode, owner, owner, digest(content), "", content)
