"""A server of this machine for tests: on a free port while it is entered."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Listening(ABC):
    """Answers HTTP as its `handler` says."""

    host: str
    """`127.0.0.1:PORT`, once it is entered."""

    @abstractmethod
    def handler(self) -> type[BaseHTTPRequestHandler]:
        """Return what answers one request."""

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
