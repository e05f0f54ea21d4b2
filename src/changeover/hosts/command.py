"""A command and its outcome, as values."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Command:
    """Words to run on a host. Secrets travel on stdin, so printing a command is always safe."""

    words: tuple[str, ...]
    stdin: bytes = b""
    cwd: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    """Settings that are not secret, added to the command's environment."""
    user: str = ""
    """Run as this user (through runuser or sudo); empty for the one the host works as."""
    label: str = ""
    """What to show instead of the words; hosts keep it, so it must hold no secret."""

    def __str__(self) -> str:
        if self.label:
            return self.label
        settings = [f"{k}={shlex.quote(v)}" for k, v in self.env.items()]
        start = f"cd {shlex.quote(self.cwd)} && " if self.cwd else ""
        who = f"runuser -u {shlex.quote(self.user)} -- " if self.user else ""
        return start + " ".join([*settings, who + shlex.join(self.words)])

    def within(self, cwd: str) -> Command:
        """Return the same command, run in a folder."""
        return replace(self, cwd=cwd)

    def by(self, user: str) -> Command:
        """Return the same command, run as a user."""
        return replace(self, user=user)

    def fed(self, stdin: bytes) -> Command:
        """Return the same command with data on its standard input."""
        return replace(self, stdin=stdin)


def command(*words: str, stdin: bytes = b"", cwd: str = "", user: str = "") -> Command:
    """Build a command from its words: `command("systemctl", "restart", unit)`."""
    return Command(words, stdin, cwd, {}, user)


def shell(script: str, *arguments: str, stdin: bytes = b"") -> Command:
    """Build a command that runs a POSIX script; arguments arrive as `$1`, `$2`, ..."""
    return Command(("sh", "-euc", script, "sh", *arguments), stdin)


@dataclass(frozen=True)
class Completed:
    """How a command ended."""

    code: int = 0
    stdout: str = ""
    stderr: str = ""

    @property
    def ok(self) -> bool:
        """Whether the command exited zero."""
        return self.code == 0
