"""Programs a host must have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from changeover.actions.question import NotSo, Question
from changeover.hosts.command import command
from changeover.hosts.host import Host
from changeover.tools import coreutils
from changeover.tools.version import parse_version, require_condition, satisfies


@dataclass(frozen=True)
class Present(Question):
    """Make sure that a program is installed, in a version that will do."""

    name: ClassVar[str] = "program.present"

    program: str
    """Its name, or a path."""
    version: str = ""
    """Which versions will do, such as `>=16,<21`; empty for any."""
    ask_with: tuple[str, ...] = ("--version",)
    """The arguments that make it tell its version."""
    package: str = ""
    """What to install to get it; empty where it is called the same."""

    def __post_init__(self) -> None:
        require_condition(self.version)

    def wanted(self) -> str:
        """Say what must be so."""
        return f"{self.program} {self.version} is installed".replace("  ", " ")

    def remedy(self) -> str:
        """Say what to install."""
        return f"Install {self.package or self.program} {self.version}".strip() + "."

    def ask(self, host: Host) -> None:
        """Look once."""
        if not host.ask(coreutils.which(self.program)).ok:
            raise NotSo("it is not there")
        if not self.version:
            return
        done = host.ask(command(self.program, *self.ask_with))
        told = parse_version(done.stdout + done.stderr)
        if not satisfies(told, self.version):
            raise NotSo(f"it is {told or 'of a version it does not tell'}")
