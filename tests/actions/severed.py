"""A way to a PostgreSQL that breaks at a chosen statement."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

QUERY = b"Q"
CHUNK = 1 << 16


class Severed:
    """Passes one connection on, and cuts it at its n-th statement.

    `reached` lets the statement arrive and loses the answer: the client cannot know whether a
    commit happened. Otherwise the statement itself is lost.
    """

    def __init__(self, port: int, statement: int, reached: bool) -> None:
        self._to, self._statement, self._reached = port, statement, reached
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._work = threading.Thread(target=self._pass_on)

    def __enter__(self) -> Severed:
        self._work.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._work.join(30)
        self._door.close()

    def _pass_on(self) -> None:
        client, _ = self._door.accept()
        with client, socket.create_connection(("127.0.0.1", self._to)) as server:
            answers = threading.Thread(target=self._back, args=(server, client))
            answers.start()
            self._forth(client, server)
            server.shutdown(socket.SHUT_WR)
            answers.join(30)

    def _forth(self, client: socket.socket, server: socket.socket) -> None:
        seen = 0
        while asked := client.recv(CHUNK):
            seen += asked[:1] == QUERY
            if seen == self._statement:
                # The answer must not slip through before the cut.
                client.shutdown(socket.SHUT_RDWR)
                if self._reached:
                    server.sendall(asked)
                return
            server.sendall(asked)

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while answer := server.recv(CHUNK):
                client.sendall(answer)
        except OSError:
            while server.recv(CHUNK):
                pass  # the server goes on to the end of what it was asked
