"""A registry in memory that can misbehave: a test tool, for this project and for others.

with MemoryRegistry() as registry:
    registry.script = lambda request: Fault(status=503) if request.method == "PUT" else None
"""

from __future__ import annotations

from dataclasses import dataclass

from changeover.sources.oci.listening import Listening
from changeover.sources.oci.memory_server import Contents, Fault, Handler, Manner, Request

__all__ = ["Fault", "Manner", "MemoryRegistry", "Request"]


@dataclass
class MemoryRegistry(Listening, Contents):
    """Blobs, manifests and uploads in dictionaries, behind HTTP on a free port."""

    def handler(self) -> type[Handler]:
        """Return what answers one request."""
        return type("Handler", (Handler,), {"registry": self})

    def received(self) -> int:
        """Return the bytes of blobs that were sent here, those of failed requests included."""
        return sum(
            r.size for r in self.requests if r.method in ("PUT", "PATCH") and "/uploads/" in r.path
        )
