"""Looking at what a web address answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from changeover.actions.foreseen import missing
from changeover.actions.question import NotSo, Question
from changeover.errors import InvalidRelease
from changeover.hosts.host import Host
from changeover.model.findings import Finding, passed
from changeover.tools import coreutils, curl

MOST_SHOWN = 120


@dataclass(frozen=True)
class Check(Question):
    """Ask a web address from the host, and look at the code and at what is in the answer.

    Probe deep: a front page often answers 200 while the database is down. The question is asked
    again until the answer is right or `within` seconds are over; the last answer is in the error.
    """

    name: ClassVar[str] = "http.check"

    url: str
    """The address, as the host reaches it."""
    expect: int = 200
    """The code it must answer with."""
    contains: str = ""
    """A text that must be in the answer."""
    json: Mapping[str, Any] = field(default_factory=dict)
    """Values the answer must hold, by path: `{database: ok, items.0.name: first}`."""
    resolve: str = ""
    """An address to connect to instead of the URL's host, such as `127.0.0.1`."""
    ca: str = ""
    """File on the host with certificates to trust; empty for the system's."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers to send; they may be secret."""
    within: float = 0.0
    """Seconds to wait for the right answer; 0 asks once."""
    each: float = 10.0
    """Seconds one request may take."""

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise InvalidRelease(f"{self.name}: url: {self.url!r} is no web address",
                                 "Start it with http:// or https://.")  # fmt: skip

    def check(self, host: Host) -> Iterable[Finding]:
        """Curl must be there."""
        if host.ask(coreutils.which("curl")).ok:
            yield passed("curl is there")
        else:
            yield missing(host, "curl is not installed", "Install the package curl.")

    def wanted(self) -> str:
        """Say what must be so."""
        more = [f"contains {self.contains!r}"] if self.contains else []
        more += [f"says {path} is {value!r}" for path, value in self.json.items()]
        return f"{self.url} answers {self.expect}" + "".join(f" and {m}" for m in more)

    def patience(self) -> float:
        """Return how long the right answer is awaited."""
        return self.within

    def remedy(self) -> str:
        """Say where to look."""
        return "Look at the service's log; ask the address with curl on the host."

    def ask(self, host: Host) -> None:
        """Ask once."""
        asked = curl.get(self.url, resolve=self.resolve, ca=self.ca, seconds=self.each)
        done = host.ask(curl.with_headers(asked, self.headers))
        code, body = curl.parse_answer(done.stdout)
        if code == 0:
            raise NotSo(done.stderr.strip() or f"curl exited {done.code}")
        if code != self.expect:
            raise NotSo(f"it answers {code}: {_shown(body)}")
        if self.contains not in body:
            raise NotSo(f"the text is not in it: {_shown(body)}")
        if self.json:
            self._compare(body)

    def _compare(self, body: str) -> None:
        try:
            answer = json.loads(body)
        except ValueError:
            raise NotSo(f"it is no JSON: {_shown(body)}") from None
        for path, value in self.json.items():
            found = _at(answer, path)
            if found != value:
                raise NotSo(f"{path} is {found!r}")


def _at(tree: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(tree, list) and name.isdigit() and int(name) < len(tree):
            tree = tree[int(name)]
        elif isinstance(tree, dict) and name in tree:
            tree = tree[name]
        else:
            return None
    return tree


def _shown(body: str) -> str:
    line = " ".join(body.split())
    return line if len(line) <= MOST_SHOWN else line[:MOST_SHOWN] + "…"
