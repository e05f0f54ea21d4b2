"""Seeing a service come up, answer, and stay up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from changeover.hosts.host import Host
from changeover.tools import curl, network

PAUSE = 0.1
"""Seconds between two looks at a service."""


@dataclass(frozen=True)
class Sight:
    """How a service looks at one moment."""

    state: str
    """`up`, `coming` or `down`."""
    told: str
    """The program's own words for it."""
    identity: str = ""
    """Differs once the service was started anew."""


@dataclass(frozen=True)
class Standard:
    """What a service must do to count as up."""

    within: float = 30.0
    """Seconds to come up and answer."""
    stays: float = 1.0
    """Seconds to stay up after that, without being started anew."""
    port: int = 0
    url: str = ""


def shortfall(look: Callable[[], Sight], host: Host, standard: Standard) -> str:
    """Watch a service until it meets the standard; return why it does not, or nothing."""
    started, steady_since, identity = time.monotonic(), 0.0, ""
    while True:
        sight, now = look(), time.monotonic()
        if sight.state == "down":
            return sight.told
        if identity and sight.identity and sight.identity != identity:
            return f"it came up, ended, and was started anew ({sight.told})"
        identity = identity or (sight.identity if sight.state == "up" else "")
        why = _silence(host, standard) if sight.state == "up" else sight.told
        steady_since = (steady_since or now) if not why else 0.0
        if steady_since and now - steady_since >= standard.stays:
            return ""
        if why and now - started > standard.within:
            return f"{why}, for {standard.within:g} s"
        time.sleep(PAUSE)


def _silence(host: Host, standard: Standard) -> str:
    """Return why the service does not answer though it is up."""
    if standard.port and not host.ask(network.connect("127.0.0.1", standard.port)).ok:
        return f"it is up, and nobody answers on port {standard.port}"
    if not standard.url:
        return ""
    done = host.ask(curl.get(standard.url, seconds=5))
    code, _ = curl.parse_answer(done.stdout)
    if 200 <= code < 400:
        return ""
    return f"it is up, and {standard.url} answers {code or done.stderr.strip()}"
