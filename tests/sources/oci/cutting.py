"""A network that breaks: a relay in front of a server, which cuts connections after some bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class Relay:
    """Passes bytes on; the first connection that reaches one of the limits is cut there.

    `up` counts bytes toward the server, `down` those back, over all connections together.
    """

    def __init__(self, host: str, *, up: int = -1, down: int = -1) -> None:
        name, _, port = host.rpartition(":")
        self._to = (name, int(port))
        self._left = {"up": up, "down": down}
        self._lock = threading.Lock()
        self.cuts = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (self._listener, *self._open):
            _shut(sock)
        for thread in self._threads:
            thread.join()
        for sock in (self._listener, *self._open):
            sock.close()

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]  # a function
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._to)
                self._open += [client, server]
                self._start(self._pass, client, server, "up")
                self._start(self._pass, server, client, "down")

    def _pass(self, source: socket.socket, to: socket.socket, way: str) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                allowed = self._allowed(way, len(content))
                to.sendall(content[:allowed])
                if allowed < len(content):
                    break
        _shut(source)
        _shut(to)

    def _allowed(self, way: str, count: int) -> int:
        with self._lock:
            left = self._left[way]
            if left < 0:
                return count
            self._left[way] = left - count
            if left >= count:
                return count
            self._left[way] = -1
            self.cuts += 1
            return left


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
