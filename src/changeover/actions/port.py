"""Ports that must be free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from changeover.actions.question import NotSo, Question
from changeover.errors import InvalidRelease
from changeover.hosts.host import Host
from changeover.tools import network


@dataclass(frozen=True)
class Free(Question):
    """Make sure that nobody listens on a port that is about to be used."""

    name: ClassVar[str] = "port.free"

    port: int
    """The TCP port."""
    unless: tuple[str, ...] = ()
    """Programs that may hold it already, by their process name: `[nginx]`."""

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise InvalidRelease(f"{self.name}: port: {self.port} is no port", "Write 1 to 65535.")

    def wanted(self) -> str:
        """Say what must be so."""
        return f"port {self.port} is free"

    def remedy(self) -> str:
        """Say how to find out."""
        return f"See who has it with `ss -ltnp sport = :{self.port}`; stop it or choose another."

    def ask(self, host: Host) -> None:
        """Look once."""
        told = host.ask(network.sockets()).stdout
        if not network.count(told, self.port, network.LISTEN):
            return
        owners = network.parse_owners(host.ask(network.owners(self.port)).stdout)
        if not owners or not owners <= set(self.unless):
            raise NotSo(f"{', '.join(sorted(owners)) or 'somebody'} listens there")
