"""Who renews certificates: a timer, and a hook that has nginx load what was renewed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from changeover.actions.certificate import RELOAD
from changeover.actions.foreseen import missing
from changeover.actions.paths import Placing
from changeover.actions.wanted import Wanted
from changeover.errors import ActionFailed
from changeover.hosts.command import command
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed
from changeover.model.plan import Change, Effect
from changeover.tools import certbot, systemctl

OWN = "changeover-certbot"
BOOTED = "/run/systemd/system"
"""There where systemd is what the machine was started with."""
UNITS = "/etc/systemd/system"

SERVICE = """\
[Unit]
Description=Renew certificates that come near their end

[Service]
Type=oneshot
ExecStart=/usr/bin/env {program} renew -q --no-random-sleep-on-renew{places}
"""
TIMER = """\
[Unit]
Description=Look twice a day whether a certificate comes near its end

[Timer]
OnCalendar=*-*-* 00,12:00:00
RandomizedDelaySec=12h
Persistent=true

[Install]
WantedBy=timers.target
"""


@dataclass(frozen=True, kw_only=True)
class Schedule(Placing):
    """Have certificates renewed in time, and nginx load the new ones.

    What renews already is left as it is: certbot's own timer, a line of cron. Where nothing does,
    certbot's timer is started, or one of our own is made. A deploy hook reloads nginx.
    """

    name: ClassVar[str] = "certificate.schedule"

    folder: str = certbot.FOLDER
    """The folder certbot keeps everything in."""
    program: str = "certbot"
    """The program, or its path."""
    reload: str = RELOAD
    """What to run after a renewal."""

    def check(self, host: Host) -> Iterable[Finding]:
        """Something must be there that can renew, or systemd to run a timer of our own."""
        if self._timer(host) and not host.ask(command("test", "-d", BOOTED)).ok:
            yield missing(host, "neither cron nor systemd runs here: nothing would renew",
                          "Have something run `certbot renew` twice a day.")  # fmt: skip
        number, name, _ = host.transport.who
        if number != "0":
            yield failed(f"{name} may not schedule renewals", "Connect as root, or `become: sudo`.")

    def wanted(self, host: Host) -> tuple[Wanted, ...]:
        """The hook, and a timer where nothing renews yet."""
        found = certbot.parse_schedule(host.ask(certbot.schedule(self.folder, "")).stdout)
        hooks = f"{self.folder}/renewal-hooks/deploy"
        script = f"#!/bin/sh\n# Without it nginx serves the old certificate on.\n{self.reload}\n"
        hook = Wanted(f"{hooks}/reload-nginx", content=script.encode(), mode=0o755)
        folders = (f"{self.folder}/renewal-hooks", hooks)
        base = tuple(Wanted(folder, "dir", mode=0o755) for folder in folders)
        hooked = () if found.reloads else (*base, hook)
        if any(by != f"{OWN}.timer" for by in found.by) or _loaded(host, "certbot.timer"):
            return hooked
        return (*hooked, *self._units())

    def plan(self, host: Host) -> Change:
        """Compare files, and see whether something renews."""
        wanted, timer = self.wanted(host), self._timer(host)
        change = super().plan(host) if wanted else Change(Effect.NONE, "")
        before = {**change.before, "timer": timer}
        if change.needed:
            return replace(change, before=before)
        if timer:
            return replace(change, effect=Effect.UPDATE, summary=f"start {timer}", before=before)
        return replace(change, summary="certificates are renewed, and nginx learns of it",
                       before=before)  # fmt: skip

    def apply(self, host: Host, change: Change) -> None:
        """Write the files, start the timer."""
        super().apply(host, change)
        timer = change.before["timer"]
        if timer:
            host.do(systemctl.daemon_reload())
            host.do(systemctl.tell("enable", timer))
            host.do(systemctl.tell("start", timer))

    def verify(self, host: Host, change: Change) -> None:
        """Something renews, and nginx learns of it."""
        found = certbot.parse_schedule(host.ask(certbot.schedule(self.folder, "")).stdout)
        if not found.by or not found.reloads:
            lacking = "nothing renews certificates" if not found.by else "nothing reloads nginx"
            raise ActionFailed(f"{host.name}: {lacking}", "Look at: systemctl list-timers")

    def undo(self, host: Host, change: Change) -> None:
        """Stop the timer that was started, and take the files away."""
        timer = change.before["timer"]
        if timer and _loaded(host, timer):
            host.do(systemctl.tell("disable", timer))
            host.do(systemctl.tell("stop", timer))
        super().undo(host, change)
        if timer:
            host.do(systemctl.daemon_reload())

    def _timer(self, host: Host) -> str:
        """Return the timer that must be started; empty where something renews already."""
        found = certbot.parse_schedule(host.ask(certbot.schedule(self.folder, "")).stdout)
        if found.by:
            return ""
        return "certbot.timer" if _loaded(host, "certbot.timer") else f"{OWN}.timer"

    def _units(self) -> tuple[Wanted, ...]:
        own = self.folder != certbot.FOLDER
        folder = self.folder
        places = f" --config-dir {folder} --work-dir {folder}/work --logs-dir {folder}/logs"
        service = SERVICE.format(program=self.program, places=places if own else "")
        return (
            Wanted(f"{UNITS}/{OWN}.service", content=service.encode(), mode=0o644),
            Wanted(f"{UNITS}/{OWN}.timer", content=TIMER.encode(), mode=0o644),
        )


def _loaded(host: Host, unit: str) -> bool:
    shown = systemctl.parse_show(host.ask(systemctl.show(unit)).stdout)
    return shown.get("LoadState") == "loaded"
