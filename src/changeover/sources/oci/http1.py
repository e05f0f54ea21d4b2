"""Requests and responses of HTTP/1.1, as far as registries need them.

The standard library's client brings a parser of mail along, which takes longer to import, and
longer to read an answer to HEAD, than a copy with nothing to do may take.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping

LONGEST_LINE = 65536
MOST_HEADERS = 256
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_BREAKS = re.compile(r"[\r\n\x00]")
_CHUNK = re.compile(rb"\s*([0-9a-fA-F]{1,16})\s*(?:;|$)")
_STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: .*)?")


class Malformed(OSError):
    """What came, or was to be sent, is not HTTP."""


class Disconnected(ConnectionResetError):
    """The server closed the connection instead of answering."""


class Headers:
    """Headers by name, whatever its case."""

    def __init__(self) -> None:
        self._values: dict[str, list[str]] = {}

    def add(self, name: str, value: str) -> None:
        """Add a header; one may come several times."""
        self._values.setdefault(name.lower(), []).append(value)

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of a header."""
        found = self._values.get(name.lower())
        return found[0] if found else default

    def get_all(self, name: str) -> list[str]:
        """Return all values of a header."""
        return self._values.get(name.lower(), [])


class Response:
    """An answer on a socket: its head at once, its body when it is read."""

    def __init__(self, sock: socket.socket, method: str) -> None:
        self._file = sock.makefile("rb")
        self.headers = Headers()
        self.status, self.will_close = 0, False
        # Servers may say "continue", or give hints, before they answer.
        while self.status < 200:
            self.status, self.headers, self.will_close = self._head()
        self._chunked = "chunked" in self.headers.get("Transfer-Encoding").lower()
        self._in_chunk = -1
        self.length = self._announced(method)
        """Bytes of the body that are still to be read; none where that shows at its end."""
        self.will_close |= self.length is None and not self._chunked
        self._ended = False
        if self.length == 0:
            self._end()

    def isclosed(self) -> bool:
        """Tell whether the body was read to its end."""
        return self._ended

    def readinto(self, view: memoryview) -> int:
        """Fill a buffer; 0 at the end, and where the connection was cut."""
        if self._ended or not len(view):
            return 0
        if self._chunked and self._in_chunk <= 0 and not self._next_chunk():
            return 0
        most = self._in_chunk if self._chunked else self.length
        count = self._file.readinto(view if most is None else view[:most])
        self._advance(count)
        return count

    def read(self, limit: int = -1) -> bytes:
        """Return the body, or so many bytes of it; fewer where the connection was cut."""
        parts: list[bytes] = []
        buffer = memoryview(bytearray(min(65536, limit) if limit >= 0 else 65536))
        while limit != 0:
            count = self.readinto(buffer if limit < 0 else buffer[:limit])
            if not count:
                break
            parts.append(bytes(buffer[:count]))
            limit -= count if limit > 0 else 0
        return b"".join(parts)

    def close(self) -> None:
        """Let go of the socket."""
        self._file.close()

    def _advance(self, count: int) -> None:
        if not count:
            if self._chunked:
                raise Malformed("cut off")
            self.will_close = True
            self._end()
        elif self._chunked:
            self._in_chunk -= count
        elif self.length is not None:
            self.length -= count
            if not self.length:
                self._end()

    def _end(self) -> None:
        self._ended = True
        self._file.close()

    def _next_chunk(self) -> bool:
        """Go to the next chunk; the last one is empty, and trailers may follow it."""
        if self._in_chunk == 0 and self._line():
            raise Malformed("a chunk is longer than it said")
        said = _CHUNK.match(self._line())
        if not said:
            raise Malformed("not the length of a chunk")
        self._in_chunk = int(said[1], 16)
        if self._in_chunk > 0:
            return True
        while self._line():
            pass
        self._end()
        return False

    def _announced(self, method: str) -> int | None:
        if method == "HEAD" or self.status in (204, 304):
            return 0
        text = self.headers.get("Content-Length")
        return int(text) if text.isdecimal() and not self._chunked else None

    def _head(self) -> tuple[int, Headers, bool]:
        first = self._line(begins=True)
        found = _STATUS.fullmatch(first)
        if not found:
            raise Malformed(f"not an answer in HTTP/1.1: {first[:40]!r}")
        headers = Headers()
        for _ in range(MOST_HEADERS):
            line = self._line()
            if not line:
                kept = headers.get("Connection").lower()
                closes = "close" in kept or (found[1] == b"0" and "keep-alive" not in kept)
                return int(found[2]), headers, closes
            name, _, value = line.decode("latin-1").partition(":")
            headers.add(name.strip(), value.strip())
        raise Malformed("too many headers")

    def _line(self, *, begins: bool = False) -> bytes:
        line = self._file.readline(LONGEST_LINE + 1)
        if not line and begins:
            raise Disconnected("closed the connection without an answer")
        if not line.endswith(b"\n"):
            raise Malformed("a line that is too long" if len(line) > LONGEST_LINE else "cut off")
        return line.rstrip(b"\r\n")


def request_head(method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """Return the head of a request; raises `Malformed` for what would be read as another one."""
    if _UNSAFE.search(target) or not target.isascii():
        raise Malformed(f"an address with characters it must not have: {target[:80]!r}")
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in headers.items():
        if _BREAKS.search(value):
            raise Malformed(f"a header with a line break: {name}")
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def tunnelled(sock: socket.socket, to: str, headers: Mapping[str, str]) -> None:
    """Ask a proxy to connect a socket; raises `OSError` where it does not."""
    sock.sendall(request_head("CONNECT", to, {"Host": to, **headers}))
    # Unbuffered: what follows the proxy's answer belongs to somebody else.
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        got = sock.recv(1)
        if not got or len(head) > LONGEST_LINE:
            raise Malformed("the proxy closed the connection")
        head += got
    found = _STATUS.match(head.partition(b"\r\n")[0])
    if not found or found[2] != b"200":
        raise Malformed(f"the proxy answered {found[2].decode() if found else 'nonsense'}")
