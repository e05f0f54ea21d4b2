"""A transport with scripted replies, for tests and for people who write actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from changeover.hosts.command import Command, Completed
from changeover.hosts.host import ABSENT, FileState, digest


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

    def run(self, command: Command, *, timeout: float, silence: float | None) -> Completed:
        """Answer from the script: the last reply of a list repeats."""
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

    def write(self, path: str, content: bytes, *, mode: int, owner: str, group: str) -> None:
        """Keep the content."""
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


def fake_file(content: bytes, mode: int = 0o644, owner: str = "root") -> FileState:
    """Make the state of a file for a fake host."""
    return FileState("file", mode, owner, owner, digest(content), "", content)
