"""HTTP/1.1 over kept connections, blocking, with bodies that stream in one buffer."""

from __future__ import annotations

import contextlib
import functools
import select
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from changeover.sources.oci.fault import Denied, ImageFault, Missing, Passing
from changeover.sources.oci.http1 import Response, request_head, tunnelled
from changeover.sources.oci.network import Network, proxy_authorization

BUFFER = 256 * 1024
CONNECT = 10.0
_WORTH_READING = 16 * 1024
"""Bytes left in a body that are read to keep the connection; for more, a new one is cheaper."""
_GONE = (BrokenPipeError, ConnectionResetError)


class Body(Protocol):
    """Something that is sent piece by piece."""

    @property
    def length(self) -> int:
        """How many bytes that will be."""

    def pour(self, send: Callable[[memoryview], None]) -> None:
        """Send exactly `length` bytes."""


class Answer:
    """A response; its connection goes back to the pool once it is read and closed."""

    def __init__(self, url: str, response: Response, done: Callable[[bool], None]) -> None:
        self.url, self.status, self.headers = url, response.status, response.headers
        self._response, self._done = response, done

    @property
    def length(self) -> int | None:
        """Bytes announced by the header, if any."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isdecimal() else None

    def readinto(self, view: memoryview) -> int:
        """Fill a buffer; returns 0 at the end and raises `Passing` on a cut or a stall."""
        try:
            return self._response.readinto(view)
        except OSError as e:
            self.close()
            raise _translated(e, self.url) from None

    def read(self, limit: int) -> bytes:
        """Return the body, at most `limit` bytes of it."""
        try:
            return self._response.read(limit)
        except OSError as e:
            self.close()
            raise _translated(e, self.url) from None

    def close(self) -> None:
        """Give the connection back, or close it where too much is left unread."""
        done, self._done = self._done, _nothing
        if done is _nothing:
            return
        response = self._response
        left = response.length
        clean = response.isclosed()
        if not clean and left is not None and left <= _WORTH_READING:
            try:
                response.read()
                clean = True
            except OSError:
                clean = False
        response.close()
        done(clean and not response.will_close)

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _whole(body: bytes | Body | None) -> bool:
    return isinstance(body, bytes | None)


def _nothing(_: bool) -> None:
    return


@dataclass(eq=False)
class _Line:
    socket: socket.socket
    relay: dict[str, str] | None
    """Headers for an HTTP proxy that is given whole URLs; none where there is no such proxy."""
    used: bool = False

    @property
    def stale(self) -> bool:
        """Tell whether the server has closed it, or said something nobody asked for."""
        return bool(select.select([self.socket], [], [], 0)[0])


class Wire:
    """Sends requests; keeps connections per origin for whichever thread comes next."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._idle: dict[tuple[str, str], list[_Line]] = defaultdict(list)
        self._busy: set[_Line] = set()
        self._cut = False
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | Body | None = None
    ) -> Answer:
        """Send one request; raises `Passing`, or `ImageFault` where it cannot work at all."""
        parts = urlsplit(url)
        while True:
            line = self._line(parts)
            # Left in peace: without a POST's answer, or without a DELETE, an upload stays open.
            if method not in ("POST", "DELETE"):
                self._busy.add(line)
            if self._cut and method != "DELETE":
                self._drop(line)
                raise Passing(f"{parts.netloc}: stopped", "run it again: it goes on there")
            try:
                response = _exchange(line, method, parts, headers, body)
            except OSError as e:
                self._drop(line)
                # A server may close a kept connection just as we use it: that is no fault.
                if line.used and isinstance(e, _GONE) and _whole(body):
                    continue
                raise _translated(e, url) from None
            except BaseException:
                self._drop(line)
                raise
            line.used = True
            return Answer(url, response, functools.partial(self._put, parts, line))

    def interrupt(self) -> None:
        """Cut every connection that is in use: whoever waits there goes on at once."""
        self._cut = True
        for line in tuple(self._busy):
            with contextlib.suppress(OSError):
                line.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the idle connections."""
        for lines in self._idle.values():
            while lines:
                lines.pop().socket.close()

    def _drop(self, line: _Line) -> None:
        self._busy.discard(line)
        line.socket.close()

    def _put(self, parts: SplitResult, line: _Line, keep: bool) -> None:
        self._busy.discard(line)
        if keep:
            self._idle[parts.scheme, parts.netloc].append(line)
        else:
            line.socket.close()

    def _line(self, parts: SplitResult) -> _Line:
        idle = self._idle[parts.scheme, parts.netloc]
        while True:
            try:
                line = idle.pop()
            except IndexError:
                return self._connected(parts)
            if not line.stale:
                return line
            line.socket.close()

    def _connected(self, parts: SplitResult) -> _Line:
        proxy = self.network.proxy(parts.scheme, parts.hostname or "")
        try:
            sock = self._toward(parts, proxy)
        except OSError as e:
            raise _translated(e, parts.geturl()) from None
        sock.settimeout(self.network.silence)
        relay = proxy_authorization(proxy) if proxy and parts.scheme == "http" else None
        return _Line(sock, relay)

    def _toward(self, parts: SplitResult, proxy: SplitResult | None) -> socket.socket:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        to = (proxy.hostname, proxy.port or 3128) if proxy else (parts.hostname, port)
        sock = socket.create_connection(to, CONNECT)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if parts.scheme != "https":
                return sock
            if proxy:
                asked = parts.netloc if parts.port else f"{parts.netloc}:{port}"
                tunnelled(sock, asked, proxy_authorization(proxy))
            return self._context(parts.netloc).wrap_socket(sock, server_hostname=parts.hostname)
        except BaseException:
            sock.close()
            raise

    def _context(self, netloc: str) -> ssl.SSLContext:
        with self._lock:
            if netloc not in self._contexts:
                self._contexts[netloc] = self.network.tls(netloc)
            return self._contexts[netloc]


def _exchange(
    line: _Line,
    method: str,
    parts: SplitResult,
    headers: Mapping[str, str],
    body: bytes | Body | None,
) -> Response:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if line.relay is not None:
        target = f"{parts.scheme}://{parts.netloc}{target}"
    # As they are: what is packed on the way has another length, and ranges of it mean nothing.
    plain = {"Host": parts.netloc, "Accept-Encoding": "identity"}
    said = {**plain, **headers, **(line.relay or {})}
    if isinstance(body, bytes | None):
        if body is not None or method in ("POST", "PUT", "PATCH"):
            said["Content-Length"] = str(len(body or b""))
        line.socket.sendall(request_head(method, target, said) + (body or b""))
        return Response(line.socket, method)
    said["Content-Length"] = str(body.length)
    line.socket.sendall(request_head(method, target, said))
    try:
        body.pour(line.socket.sendall)
    except (BrokenPipeError, ConnectionResetError):
        # The server may have answered early, and said why it did not want the rest.
        response = Response(line.socket, method)
        response.will_close = True
        return response
    return Response(line.socket, method)


def _translated(fault: Exception, url: str) -> ImageFault:
    where = urlsplit(url).netloc
    if isinstance(fault, ssl.SSLCertVerificationError):
        return ImageFault(
            f"{where}: certificate: {fault.verify_message}",
            f"put the authority's certificate in /etc/docker/certs.d/{where}/ca.crt, or use --ca",
        )
    if isinstance(fault, ssl.SSLError) and "WRONG_VERSION" in str(fault.reason):
        return ImageFault(f"{where}: does not speak TLS", f"--plain-http {where}, if you trust it")
    if isinstance(fault, ssl.SSLError) and "_CERTIFICATE" in str(fault.reason):
        return Denied(
            f"{where}: wants a client certificate it trusts",
            f"put it into /etc/docker/certs.d/{where}/ as client.cert, with its client.key",
        )
    if isinstance(fault, socket.gaierror) and fault.errno != socket.EAI_AGAIN:
        return Missing(f"{where}: no such host: {fault.strerror}", "check the name and the network")
    if isinstance(fault, TimeoutError):
        return Passing(f"{where}: silent for too long", "check the network and the registry")
    why = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    if isinstance(fault, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        why = "the connection was cut"
    return Passing(f"{where}: {why or type(fault).__name__}", "check the network and the registry")
