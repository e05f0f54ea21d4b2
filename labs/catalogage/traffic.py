"""Users of the platform: reads and writes at a steady rate, each on a connection of its own."""

import argparse
import http.client
import json
import signal
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

ACCOUNT = {"email": "catalogue@example.org", "password": "password"}
WORKERS = 32
PATIENCE = 10.0
"""Seconds a user waits for an answer."""


@dataclass(frozen=True)
class Failure:
    """One request that a user did not get answered."""

    at: float
    """Seconds since the epoch when it was sent."""
    method: str
    path: str
    why: str


@dataclass(frozen=True)
class Report:
    """What the users saw."""

    requests: int
    failures: tuple[Failure, ...]
    acknowledged: tuple[str, ...]
    """Identities of the rows whose creation was confirmed: none of them may be lost."""
    seconds: float

    @property
    def outage(self) -> float:
        """Seconds between the first and the last failed request."""
        times = [failure.at for failure in self.failures]
        return max(times) - min(times) if times else 0.0

    def between(self, began: float, ended: float) -> "Report":
        """The same, with the failures of a span of time alone (seconds since the epoch)."""
        return replace(self, failures=tuple(f for f in self.failures if began <= f.at <= ended))


@dataclass
class Traffic:
    """A stream of requests to the platform's public address until `stop`."""

    url: str
    authority: str
    """The file of the certificate authority to trust."""
    rate: float = 20.0
    """Requests per second; every fourth is a write."""
    resolve: str = "127.0.0.1"
    """The address to connect to, whatever the URL's host is."""
    _sent: int = 0
    _token: str = ""
    _failures: list[Failure] = field(default_factory=list)
    _created: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _started: float = 0.0

    def start(self) -> "Traffic":
        """Log in, then send; raises OSError when nobody answers."""
        status, answer = self._ask("POST", "/api/auth/login/", ACCOUNT)
        if status != 200:
            raise OSError(f"{self.url}: login: {status}")
        self._token = str(answer["api_token"])
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._send_all, name="traffic", daemon=True)
        self._thread.start()
        return self

    @property
    def acknowledged(self) -> int:
        """How many rows were confirmed so far."""
        return len(self._created)

    @property
    def failed(self) -> int:
        """How many requests failed so far."""
        return len(self._failures)

    def stop(self) -> Report:
        """Send no more, wait for the answers under way, and tell."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        seconds = time.monotonic() - self._started
        failures = tuple(sorted(self._failures, key=lambda failure: failure.at))
        return Report(self._sent, failures, tuple(self._created), round(seconds, 2))

    def lost(self, acknowledged: tuple[str, ...]) -> list[str]:
        """Rows that were confirmed and are not there."""
        return [row for row in acknowledged if self._ask("GET", f"/api/datasets/{row}/")[0] != 200]

    def _send_all(self) -> None:
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="user") as users:
            due = time.monotonic()
            while not self._over.wait(max(0.0, due - time.monotonic())):
                users.submit(self._send_one, self._sent)
                self._sent += 1
                due += 1 / self.rate

    def _send_one(self, number: int) -> None:
        method, path = (("GET", "/"), ("GET", "/api/datasets/"), ("GET", "/"), ("POST", ""))[
            number % 4
        ]
        path = path or "/api/datasets/"
        sent = time.time()
        fields = {"title": f"Relevé {number} de {sent:.3f}", "description": "D", "service": "S"}
        try:
            status, answer = self._ask(method, path, fields if method == "POST" else None)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._failures.append(Failure(sent, method, path, f"{type(error).__name__}: {error}"))
            return
        if status not in (200, 201) or "indisponible" in str(answer):
            self._failures.append(Failure(sent, method, path, str(status)))
        elif method == "POST":
            self._created.append(str(answer["id"]))

    def _ask(self, method: str, path: str, fields: object = None) -> tuple[int, dict[str, object]]:
        parts = urlsplit(self.url)
        connection = _Pinned(parts.hostname or "", parts.port or 443, self._trust(), self.resolve)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        body = json.dumps(fields) if fields is not None else None
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if not answer.headers.get("content-type", "").startswith("application/json"):
            return answer.status, {"text": text}
        loaded: dict[str, object] = json.loads(text)
        return answer.status, loaded

    def _trust(self) -> ssl.SSLContext:
        if not hasattr(self, "_context"):
            self._context = ssl.create_default_context(cafile=self.authority)
        return self._context


class _Pinned(http.client.HTTPSConnection):
    """HTTPS to a fixed address, the certificate checked for the URL's host."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, address: str) -> None:
        super().__init__(host, port, timeout=PATIENCE, context=context)
        self._address, self._trusted = address, context

    def connect(self) -> None:
        self._real, self.host = self.host, self._address
        try:
            http.client.HTTPConnection.connect(self)
        finally:
            self.host = self._real
        self.sock = self._trusted.wrap_socket(self.sock, server_hostname=self.host)


def main() -> None:
    """Send requests until a signal (or for some seconds), then print the report as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("authority")
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--report", type=Path, help="write the report here instead of printing it")
    given = parser.parse_args()
    over = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        over.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    traffic = Traffic(given.url, given.authority, given.rate).start()
    over.wait(given.seconds)
    report = traffic.stop()
    text = json.dumps({**asdict(report), "outage": report.outage}, indent=1)
    if given.report:
        given.report.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
