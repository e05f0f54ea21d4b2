"""Requests to one registry: authorized, redirected safely, refusals made errors."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from urllib.parse import quote, urljoin, urlsplit

from changeover.sources.oci.authority import Authority, Scopes
from changeover.sources.oci.fault import (
    Denied,
    ImageFault,
    Missing,
    NoSpace,
    Passing,
    Unsupported,
)
from changeover.sources.oci.media import LARGEST_MANIFEST
from changeover.sources.oci.patience import Budget
from changeover.sources.oci.wire import Answer, Body, Wire

REDIRECTS = (301, 302, 303, 307, 308)
KEEPING = (307, 308)
"""Redirects that keep the method and the body."""
NEVER = (501, 505)
"""What a registry does not know will not be known in a minute either."""
MOST_REDIRECTS = 5
PORTS = {"https": 443, "http": 80}
CHALLENGES = 3
"""Times one request is refused before that is believed: tokens expire while others use them."""


class Connection:
    """Requests to one registry: authorized, redirected safely, refusals made errors."""

    def __init__(self, host: str, wire: Wire, authority: Authority, budget: Budget) -> None:
        self.host, self.base, self.budget = host, wire.network.base(host), budget
        self._wire, self._authority = wire, authority

    def url(self, name: str, kind: str, last: str = "") -> str:
        """Return the address of something in a repository."""
        return f"{self.base}/v2/{quote(name)}/{kind}" + (
            f"/{quote(last, safe=':')}" if last else ""
        )

    def get(
        self, url: str, scopes: Scopes, headers: Mapping[str, str] = {}, method: str = "GET"
    ) -> Answer:
        """Ask until there is an answer that is no fault, within the budget."""
        return self.budget.tries(lambda: self.once(method, url, scopes, headers))

    def once(
        self,
        method: str,
        url: str,
        scopes: Scopes,
        headers: Mapping[str, str] = {},
        body: bytes | Body | None = None,
    ) -> Answer:
        """Ask once, following redirects; raises `Passing` for what may go away, `Denied`."""
        url = self.resolved(url)
        for _ in range(MOST_REDIRECTS):
            answer = self._authorized(method, url, scopes, headers, body)
            if not _redirected(answer.status, method, body):
                return self._checked(answer, scopes)
            answer.close()
            url = self.location(answer) or url
        raise Unsupported(f"{self.host}: redirects in circles", "ask its administrator")

    def resolved(self, url: str) -> str:
        """Return a whole address, with the registry's scheme where a proxy made it lose it."""
        url = urljoin(self.base + "/", url)
        parts, own = urlsplit(url), urlsplit(self.base)
        if parts.scheme == "http" and own.scheme == "https" and parts.hostname == own.hostname:
            return self.base + url[len(f"http://{parts.netloc}") :]
        return url

    def location(self, answer: Answer, said: str = "") -> str:
        """Return where an answer says to go on, whole; empty where it does not.

        Raises `Unsupported` for what is no address, and for plain HTTP where there was TLS.
        """
        said = said or answer.headers.get("Location")
        try:
            url = self.resolved(urljoin(answer.url, said)) if said else ""
            scheme, name, _ = _origin(url or self.base)
        except ValueError:
            scheme, name, url = "", "", said
        if scheme not in PORTS or not name:
            raise Unsupported(
                f"{self.host}: sends us to {url[:80]!r}, which is no address of a registry",
                "ask its administrator",
            )
        if scheme != "https" and self.base.startswith("https:"):
            raise Unsupported(f"{self.host}: redirects from HTTPS to {url[:80]}", "refused")
        return url

    def own(self, url: str) -> bool:
        """Tell whether an address is the registry's own, where credentials may go."""
        return _origin(url) == _origin(self.base)

    def _authorized(
        self,
        method: str,
        url: str,
        scopes: Scopes,
        headers: Mapping[str, str],
        body: bytes | Body | None,
    ) -> Answer:
        if not self.own(url):
            return self._wire.send(method, url, headers, body)
        used = self._authority.header(scopes)
        for _ in range(CHALLENGES):
            answer = self._wire.send(method, url, _with(headers, used), body)
            if answer.status != 401:
                return answer
            challenge = answer.headers.get_all("WWW-Authenticate")
            answer.close()
            used = self._authority.challenged(scopes, challenge, used)
            if not isinstance(body, bytes | None):
                raise Passing(f"{self.host}: the token expired", f"docker login {self.host}")
        raise self._authority.denied(scopes)

    def _checked(self, answer: Answer, scopes: Scopes) -> Answer:
        status = answer.status
        if status in (401, 403):
            answer.close()
            if self.own(answer.url):
                raise self._authority.denied(scopes)
            raise Denied(
                f"{urlsplit(answer.url).netloc}: refuses what {self.host} redirects to ({status})",
                "ask the registry's administrator",
            )
        if status in (408, 425, 429) or (status >= 500 and status not in NEVER):
            why, full = complained(answer)
            if full or status == 507:
                raise NoSpace(f"{self.host}: its disk is full", "make room there and run again")
            delay = retry_after(answer.headers.get("Retry-After", ""))
            asks = f", and asks to wait {delay:.0f} s" if delay else ""
            raise Passing(f"{self.host}: answered {why}{asks}", "look at the registry's log", delay)
        return answer


def _redirected(status: int, method: str, body: bytes | Body | None) -> bool:
    again = method in ("GET", "HEAD") or (status in KEEPING and isinstance(body, bytes | None))
    return status in REDIRECTS and again


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


def refused(answer: Answer, where: str) -> ImageFault:
    """Return the error for an answer that is not the wanted one."""
    if answer.status == 404:
        return Missing(f"{where}: not there", "check the name and the tag")
    return Unsupported(f"{where}: the registry answered {complaint(answer)}", "see its log")


def complaint(answer: Answer) -> str:
    """Return the status and what the registry says about it, closing the answer."""
    return complained(answer)[0]


def complained(answer: Answer) -> tuple[str, bool]:
    """Return a complaint, and whether it is about a full disk."""
    body, said = b"", ""
    with answer, contextlib.suppress(*_UNREADABLE):
        body = answer.read(8192)
        errors = json.loads(body).get("errors") or [{}]
        said = f"{errors[0].get('code', '')} {errors[0].get('message', '')}".strip()
    said = "".join(c for c in said if c.isprintable())[:200]
    return f"{answer.status} {said}".strip(), bool(_FULL.search(body))


_UNREADABLE = (ImageFault, ValueError, AttributeError, LookupError, TypeError, RecursionError)
# docker-registry says "unknown error" and the number of ENOSPC or EDQUOT in its details.
_FULL = re.compile(rb'no space left|disk quota exceeded|"Err": ?(?:28|122)\b', re.IGNORECASE)


def retry_after(text: str) -> float | None:
    """Read a Retry-After header: seconds, or a date."""
    if text.isdecimal():
        return float(text)
    if not text:
        return None
    from datetime import UTC, datetime  # noqa: PLC0415 - rarely needed
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - rarely needed

    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _with(headers: Mapping[str, str], authorization: str | None) -> dict[str, str]:
    return {**headers, "Authorization": authorization} if authorization else dict(headers)


def small(answer: Answer, where: str) -> bytes:
    """Return a body of at most 4 MiB; raises `Unsupported` for more, `Passing` for a cut."""
    body = b"" if (answer.length or 0) > LARGEST_MANIFEST else answer.read(LARGEST_MANIFEST + 1)
    if (answer.length or len(body)) > LARGEST_MANIFEST:
        raise Unsupported(
            f"{where}: an answer of more than 4 MiB", "it is not an image; look at it"
        )
    if answer.length is not None and len(body) < answer.length:
        raise Passing(f"{where}: cut off", "check the network")
    return body


def skip_bytes(answer: Answer, count: int) -> None:
    """Read past the bytes a server sends although they were not asked for."""
    buffer = memoryview(bytearray(64 * 1024))
    while count:
        read = answer.readinto(buffer[: min(count, len(buffer))])
        if not read:
            raise Passing(f"{answer.url}: ended early", "try again")
        count -= read
