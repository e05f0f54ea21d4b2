"""A registry in memory whose answers are twisted before they are sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from changeover.sources.oci.memory import MemoryRegistry
from changeover.sources.oci.memory_server import Handler


@dataclass
class Answered:
    """An answer on its way, to be changed."""

    method: str
    path: str
    """With its query."""
    status: int
    headers: dict[str, str]
    body: bytes


Twist = Callable[[Answered], None]


@dataclass
class Peculiar(MemoryRegistry):
    """Says what a registry says in its own manner."""

    twist: Twist = lambda _: None
    version: str = "HTTP/1.1"
    hangs_up: bool = False
    """Closes each connection after an answer, without a word."""
    small_letters: bool = False
    authorized: list[str] = field(default_factory=list)
    packing: list[str] = field(default_factory=list)
    """The Accept-Encoding of each request."""

    def handler(self) -> type[Handler]:
        return type("Twisted", (_Twisted,), {"registry": self, "protocol_version": self.version})


class _Twisted(Handler):
    registry: ClassVar[Peculiar]

    def send_header(self, keyword: str, value: str) -> None:
        small = self.registry.small_letters
        super().send_header(keyword.lower() if small else keyword, value)

    def _answer(
        self, status: int, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> None:
        self.registry.authorized.append(self.headers.get("Authorization", ""))
        self.registry.packing.append(self.headers.get("Accept-Encoding", ""))
        said = Answered(self.command, self.path, status, dict(headers or {}), body)
        self.registry.twist(said)
        super()._answer(said.status, said.headers, said.body)
        self.close_connection |= self.registry.hangs_up
