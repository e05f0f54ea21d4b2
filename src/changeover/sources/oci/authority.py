"""Who we are to a registry: anonymous, basic, or bearer tokens with the scopes a request needs.

Credentials are sent to the registry itself and to the HTTPS realm it names; nowhere else.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from changeover.sources.oci.credential import Credential, Keyring
from changeover.sources.oci.fault import Denied, Passing
from changeover.sources.oci.wire import Wire

Scopes = tuple[str, ...]
_PARAM = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')
_SCHEME = re.compile(r"(?:^|,)\s*(Basic|Bearer)(?=\s|$|,)", re.IGNORECASE)
LARGEST_TOKEN = 1 << 20
LONGEST = 24 * 3600.0
"""Seconds a token is believed to last, whatever its server says."""


@dataclass(frozen=True)
class Challenge:
    """What a registry wants to see."""

    scheme: str
    """`basic` or `bearer`."""
    realm: str = ""
    service: str = ""
    scope: str = ""


@dataclass(frozen=True)
class _Token:
    value: str
    until: float


def parse_challenges(headers: list[str]) -> list[Challenge]:
    """Read `WWW-Authenticate` headers; unknown schemes are left out."""
    found = []
    for header in headers:
        starts = list(_SCHEME.finditer(header))
        for number, this in enumerate(starts, 1):
            ends = starts[number].start() if number < len(starts) else len(header)
            text = header[this.end() : ends]
            params = {
                m[1].lower(): re.sub(r"\\(.)", r"\1", m[2]) if m[2] is not None else m[3]
                for m in _PARAM.finditer(text)
            }
            realm, service = params.get("realm", ""), params.get("service", "")
            found.append(Challenge(this[1].lower(), realm, service, params.get("scope", "")))
    return found


class Authority:
    """Keeps the tokens for one registry."""

    def __init__(self, host: str, wire: Wire, keyring: Keyring) -> None:
        self.host, self._wire, self._keyring = host, wire, keyring
        self._challenge: Challenge | None = None
        self._tokens: dict[Scopes, _Token] = {}
        self._locks: dict[Scopes, threading.Lock] = defaultdict(threading.Lock)

    def header(self, scopes: Scopes) -> str | None:
        """Return the Authorization for a request, as far as it is known what is wanted."""
        challenge = self._challenge
        if challenge is None:
            return None
        credential = self._keyring.find(self.host, repository_of(scopes))
        if challenge.scheme == "basic":
            return credential.basic if credential else None
        if credential and credential.registry_token:
            return f"Bearer {credential.registry_token}"
        return f"Bearer {self._token(challenge, scopes, credential)}"

    def challenged(self, scopes: Scopes, headers: list[str], used: str | None) -> str:
        """Return the Authorization a 401 of the registry asks for; raises `Denied`."""
        challenges = parse_challenges(headers)
        credential = self._keyring.find(self.host, repository_of(scopes))
        usable = [c for c in challenges if c.scheme == "bearer"] + [
            c for c in challenges if c.scheme == "basic" and credential
        ]
        if not usable:
            raise self.denied(scopes, credential is not None)
        with self._locks[scopes]:
            token = self._tokens.get(scopes)
            if token and used == f"Bearer {token.value}":
                del self._tokens[scopes]
        self._challenge = usable[0]
        header = self.header(scopes)
        if header is None or (header == used and usable[0].scheme == "basic"):
            raise self.denied(scopes, credential is not None)
        return header

    def denied(self, scopes: Scopes, known: bool | None = None) -> Denied:
        """Return the error for a request the registry does not allow."""
        name = repository_of(scopes)
        where = f"{self.host}/{name}" if name else self.host
        if known is None:
            known = self._keyring.find(self.host, name) is not None
        if known:
            return Denied(
                f"{where}: the registry refuses these credentials, or the repository is not there",
                f"check the name and your rights, or docker login {self.host}",
            )
        return Denied(
            f"{where}: the registry wants credentials and there are none, or it is not there",
            f"docker login {self.host}",
        )

    def _token(self, challenge: Challenge, scopes: Scopes, credential: Credential | None) -> str:
        with self._locks[scopes]:
            token = self._tokens.get(scopes)
            if token is None or time.monotonic() > token.until:
                token = self._fetched(challenge, scopes, credential)
                self._tokens[scopes] = token
            return token.value

    def _fetched(
        self, challenge: Challenge, scopes: Scopes, credential: Credential | None
    ) -> _Token:
        self._check_realm(challenge.realm, credential)
        wanted = scopes or tuple(challenge.scope.split())
        if credential and credential.identity_token:
            tree = self._exchanged(challenge, wanted, credential)
        else:
            query = [("service", challenge.service)] if challenge.service else []
            query += [("scope", s) for s in wanted]
            joint = "&" if urlsplit(challenge.realm).query else "?"
            headers = {"Authorization": credential.basic} if credential else {}
            tree = self._asked("GET", f"{challenge.realm}{joint}{urlencode(query)}", headers, None)
        value = tree.get("token") or tree.get("access_token")
        if not isinstance(value, str) or not value.isprintable():
            raise Denied(f"{challenge.realm}: answered without a token", "try again later")
        lasts = tree.get("expires_in")
        lasts = min(lasts, LONGEST) if isinstance(lasts, int | float) and lasts > 0 else 60.0
        return _Token(value, time.monotonic() + 0.8 * lasts)

    def _exchanged(
        self, challenge: Challenge, scopes: Scopes, credential: Credential
    ) -> dict[str, Any]:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": credential.identity_token,
            "service": challenge.service,
            "scope": " ".join(scopes),
            "client_id": "changeover",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._asked("POST", challenge.realm, headers, urlencode(form).encode())

    def _check_realm(self, realm: str, credential: Credential | None) -> None:
        parts = _split(realm)
        if parts.scheme == "https" and parts.hostname:
            return
        if parts.scheme == "http" and parts.netloc in self._wire.network.plain_http:
            return
        what = "credentials are not sent" if credential else "no token is fetched"
        raise Denied(
            f"{self.host}: its token server {realm!r} is not HTTPS: {what} there",
            f"--plain-http {parts.netloc}, if you trust the way to it" if parts.netloc else "",
        )

    def _asked(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None
    ) -> dict[str, Any]:
        with self._wire.send(method, url, headers, body) as answer:
            where = urlsplit(url).netloc
            if answer.status == 429 or answer.status >= 500:
                raise Passing(f"{where}: token server answered {answer.status}", "try again later")
            if answer.status != 200:
                raise Denied(
                    f"{where}: token server refused with {answer.status}",
                    f"docker login {self.host}",
                )
            try:
                tree = json.loads(answer.read(LARGEST_TOKEN))
            except (ValueError, RecursionError):
                tree = None
        if not isinstance(tree, dict):
            raise Denied(f"{where}: token server did not answer with JSON", "try again later")
        return tree


def _split(url: str) -> SplitResult:
    """Split an address that somebody else wrote; what is none has no parts."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else urlsplit("")
    except ValueError:
        return urlsplit("")


def repository_of(scopes: Scopes) -> str:
    """Return the repository the first scope is about."""
    parts = scopes[0].split(":") if scopes else []
    return ":".join(parts[1:-1])


def scope(repository: str, *, push: bool = False) -> str:
    """Return the scope for reading a repository, or for writing it."""
    return f"repository:{repository}:{'pull,push' if push else 'pull'}"
