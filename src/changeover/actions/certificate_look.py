"""Certificates looked at: those certbot has, and what is served on the wire."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.question import NotSo, Question
from changeover.hosts.host import Host
from changeover.model.plan import Change, Effect
from changeover.tools import certbot, openssl


@dataclass(frozen=True, kw_only=True)
class Listed(Action):
    """List the certificates certbot has: names, serial, end, who renews them. Changes nothing."""

    name: ClassVar[str] = "certificate.list"
    harmless: ClassVar[bool] = True
    looks: ClassVar[bool] = True

    folder: str = certbot.FOLDER
    """The folder certbot keeps everything in."""
    port: int = 0
    """The port on which they are served, to be compared; 0 for none."""

    def plan(self, host: Host) -> Change:
        """Read them."""
        kept = certbot.parse_kept(host.do(certbot.kept(self.folder)))
        lines = [line for lineage in kept.lineages for line in self._lines(host, kept, lineage)]
        return Change(Effect.NONE, "\n".join(lines) or f"certbot has none in {self.folder}")

    def apply(self, host: Host, change: Change) -> None:
        """Change nothing."""

    def verify(self, host: Host, change: Change) -> None:
        """Nothing was changed."""

    def _lines(self, host: Host, kept: certbot.Kept, lineage: certbot.Lineage) -> list[str]:
        one, now = lineage.current, time.time()
        if one is None:
            return [f"{lineage.name}: no certificate is in service"]
        asked = host.ask(certbot.schedule(self.folder, lineage.name)).stdout
        schedule = certbot.parse_schedule(asked)
        hook = "reloads nginx" if schedule.reloads else "without a reload of nginx"
        by = f"{', '.join(schedule.by)}, {hook}" if schedule.by else "nobody"
        lately = len(kept.lately(one.seen.names, now))
        return [
            f"{lineage.name}: {', '.join(one.seen.names)}",
            f"  until {one.seen.until_text}: {one.seen.days_left(now):.0f} days left"
            + self._served(host, one),
            f"  serial {one.seen.serial}, {one.path}",
            f"  renewed by: {by}; issued this week, as known here: {lately}",
        ]

    def _served(self, host: Host, one: certbot.Archived) -> str:
        if not self.port or not one.seen.names:
            return ""
        said = host.ask(openssl.served("127.0.0.1", self.port, one.seen.names[0])).stdout
        seen = openssl.parse(said)
        same = seen is not None and seen.serial == one.seen.serial
        return "; served" if same else f"; port {self.port} serves another, or nothing"


@dataclass(frozen=True, kw_only=True)
class Valid(Question):
    """Look at the certificate that is served under a name, on the wire, and how long it lasts."""

    name: ClassVar[str] = "certificate.valid"

    domain: str
    """The name to ask for (SNI), which the certificate must be for."""
    address: str = "127.0.0.1"
    """Where it is served, as the host reaches it."""
    port: int = 443
    """The port on which it is served."""
    days: int = 7
    """How many days it must last at least."""

    def wanted(self) -> str:
        """Say what must be so."""
        return f"the certificate served for {self.domain} lasts {self.days} days"

    def remedy(self) -> str:
        """Say what helps."""
        return "Renew it (changeover run certs renew), and see why nothing did: changeover doctor."

    def ask(self, host: Host) -> None:
        """Read it."""
        seen = openssl.parse(host.ask(openssl.served(self.address, self.port, self.domain)).stdout)
        if seen is None:
            raise NotSo(f"nothing is served over TLS on port {self.port}")
        if not seen.is_for(self.domain):
            raise NotSo(f"it is for {', '.join(seen.names)}")
        left = seen.days_left(time.time())
        if left < self.days:
            raise NotSo(
                f"{left:.0f} days are left" if left >= 0 else f"it ended {-left:.0f} days ago"
            )
