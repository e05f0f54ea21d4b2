"""A registry in memory that can misbehave: a test tool, for this project and for others.

with MemoryRegistry() as registry:
    registry.script = lambda request: Fault(status=503) if request.method == "PUT" else None
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import ThreadingHTTPServer

from changeover.sources.oci.memory_server import Contents, Fault, Handler, Manner, Request

__all__ = ["Fault", "Manner", "MemoryRegistry", "Request"]


@dataclass
class MemoryRegistry(Contents):
    """Blobs, manifests and uploads in dictionaries, behind HTTP on a free port."""

    def __enter__(self) -> MemoryRegistry:
        handler = type("Handler", (Handler,), {"registry": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def received(self) -> int:
        """Return the bytes of blobs that were sent here, those of failed requests included."""
        return sum(
            r.size for r in self.requests if r.method in ("PUT", "PATCH") and "/uploads/" in r.path
        )
