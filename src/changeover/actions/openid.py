"""Whether an OpenID Connect provider knows a client and the address it sends people back to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode, urlsplit

from changeover.actions.base import Action
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import Host
from changeover.model.findings import Finding, Severity, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import curl

METADATA = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Callback(Action):
    """See that an OpenID provider knows a client and its callback address; nobody logs in.

    The provider's authorization endpoint is asked as a browser would ask it. By the standard a
    provider must not send anybody to an address that is not registered: it refuses (400 and up)
    instead of redirecting or showing its login.
    """

    name: ClassVar[str] = "openid.callback"
    harmless: ClassVar[bool] = True

    issuer: str
    """Address of the provider."""
    client_id: str
    """The client, as the provider calls it."""
    callback: str
    """The address people are sent back to."""
    scope: str = "openid"
    """What is asked for."""
    ca: str = ""
    """File on the host with certificates to trust; empty for the system's."""

    def __post_init__(self) -> None:
        for name, value in (("issuer", self.issuer), ("callback", self.callback)):
            if not value.startswith(("http://", "https://")):
                raise InvalidRelease(
                    f"{self.name}: {name}: {value!r} is no web address", "Start it with https://."
                )

    def check(self, host: Host) -> Iterable[Finding]:
        """Ask the provider."""
        yield self._judged(host)

    def plan(self, host: Host) -> Change:
        """Say what is asked; nothing changes."""
        return Change(Effect.NONE, f"see that {self._provider} knows {self.callback}")

    def apply(self, host: Host, change: Change) -> None:
        """Ask."""
        self.verify(host, change)

    def verify(self, host: Host, change: Change) -> None:
        """Ask, and raise `ActionFailed` where the provider refuses."""
        found = self._judged(host)
        if found.severity is Severity.FAIL:
            raise ActionFailed(found.message, found.remedy)

    def _judged(self, host: Host) -> Finding:
        code, body = self._get(host, f"{self.issuer.rstrip('/')}{METADATA}")
        endpoint = _endpoint(body) if code == 200 else ""
        if not endpoint:
            return failed(
                f"{self._provider}: is no OpenID provider that answers ({code or 'no answer'})",
                "Correct its address; see that this host may reach it.",
            )
        asked = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": self.callback,
            "scope": self.scope, "state": "changeover", "nonce": "changeover",
        }  # fmt: skip
        joined = "&" if urlsplit(endpoint).query else "?"
        code, _ = self._get(host, f"{endpoint}{joined}{urlencode(asked)}")
        if 200 <= code < 400:
            return passed(f"{self._provider} knows the client and {self.callback}")
        return failed(
            f"{self._provider}: refuses client and callback {self.callback} ({code})",
            "Have whoever runs it register exactly this address for the client.",
        )

    def _get(self, host: Host, url: str) -> tuple[int, str]:
        return curl.parse_answer(host.ask(curl.get(url, ca=self.ca)).stdout)

    @property
    def _provider(self) -> str:
        return urlsplit(self.issuer).netloc


def _endpoint(body: str) -> str:
    try:
        found = json.loads(body)["authorization_endpoint"]
    except (ValueError, KeyError, TypeError):
        return ""
    return found if isinstance(found, str) and found.startswith("http") else ""
