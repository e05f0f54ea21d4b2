"""Watch the endpoints as users see them, ten times a second, while a run lasts."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from changeover.errors import ChangeoverError
from changeover.model import events as ev
from changeover.model.instance import Endpoint

INTERVAL = 0.1
"""Seconds between two requests to one endpoint."""
PATIENCE = 2.0
"""Seconds after which a request counts as failed."""
MOST_BODY = 64 * 1024


class Asker:
    """Asks one endpoint; a new connection each time, as a new user would."""

    def __init__(self, endpoint: Endpoint, folder: Path) -> None:
        self.endpoint, self._folder = endpoint, folder
        self._parts = parts = urlsplit(endpoint.url)
        self._secure = parts.scheme == "https"
        self._name = parts.hostname or ""
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    # Read when first asked: a file or port that is wrong is an answer of the endpoint, no accident.

    @property
    def _port(self) -> int:
        return self._parts.port or (443 if self._secure else 80)

    @cached_property
    def _trust(self) -> ssl.SSLContext | None:
        ca = str(self._folder / self.endpoint.ca) if self.endpoint.ca else None
        return ssl.create_default_context(cafile=ca) if self._secure else None

    def ask(self) -> str:
        """Return why the answer is not as expected; empty if it is."""
        try:
            return self._asked()
        except (OSError, ValueError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__

    def _asked(self) -> str:
        connection = self._connection()
        try:
            connection.request("GET", self._path, headers={"Connection": "close"})
            answer = connection.getresponse()
            body = answer.read(MOST_BODY)
        finally:
            connection.close()
        if answer.status != self.endpoint.expect:
            return f"{answer.status} {answer.reason}"
        if self.endpoint.contains and self.endpoint.contains.encode() not in body:
            return f"the page does not say {self.endpoint.contains!r}"
        return ""

    def _connection(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._name, self._port, timeout=PATIENCE)
        address = self.endpoint.resolve or self._name
        connection.sock = self._socket(address)
        return connection

    def _socket(self, address: str) -> socket.socket:
        raw = socket.create_connection((address, self._port), timeout=PATIENCE)
        if not self._trust:
            return raw
        try:
            return self._trust.wrap_socket(raw, server_hostname=self._name)
        except BaseException:
            raw.close()
            raise


@dataclass
class Watch:
    """What was seen of one endpoint."""

    asker: Asker
    requests: int = 0
    failed: int = 0
    downtime: float = 0.0
    down_since: float | None = None
    failed_in_series: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def take(self, asked_at: float, reason: str) -> ev.Event | None:
        """Count one answer; return what it changed, if anything."""
        self.requests += 1
        if reason:
            self.failed += 1
            self.failed_in_series += 1
            if self.down_since is None:
                self.down_since = asked_at
                return ev.EndpointDown(self.asker.endpoint.name, reason)
            return None
        if self.down_since is None:
            return None
        seconds, failed = asked_at - self.down_since, self.failed_in_series
        self.downtime += seconds
        self.down_since, self.failed_in_series = None, 0
        return ev.EndpointUp(self.asker.endpoint.name, round(seconds, 2), failed)

    def summary(self, now: float) -> ev.Watched:
        """Return the figures so far."""
        open_gap = now - self.down_since if self.down_since is not None else 0.0
        seconds = round(self.downtime + open_gap, 2)
        return ev.Watched(self.asker.endpoint.name, self.requests, self.failed, seconds)


class Prober:
    """Watches every endpoint of an instance from threads of its own."""

    def __init__(
        self, endpoints: tuple[Endpoint, ...], folder: Path, tell: Callable[[ev.Event], object]
    ) -> None:
        self._tell = tell
        self._watches = [Watch(Asker(endpoint, folder)) for endpoint in endpoints]
        self._threads = [
            threading.Thread(target=self._watch, args=(w,), daemon=True) for w in self._watches
        ]

    def __enter__(self) -> Prober:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for watch in self._watches:
            watch.stop.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE)  # an endpoint may drip bytes for ever
        for watch in self._watches:
            self._tell(watch.summary(time.monotonic()))

    def _watch(self, watch: Watch) -> None:
        due = time.monotonic()
        while not watch.stop.is_set():
            asked_at = time.monotonic()
            change = watch.take(asked_at, watch.asker.ask())
            if change:
                # A journal that cannot be written stops the run by itself, and says so there.
                with contextlib.suppress(ChangeoverError):
                    self._tell(change)
            due = max(due + INTERVAL, time.monotonic() - INTERVAL)
            watch.stop.wait(max(0.0, due - time.monotonic()))


def unanswered(endpoint: Endpoint, folder: Path) -> str:
    """Ask once; return why the endpoint does not answer as expected, or nothing."""
    return Asker(endpoint, folder).ask()
