"""A clock that is wrong: sessions end early, certificates count as not yet valid."""

from __future__ import annotations

from collections.abc import Iterator

from changeover.diagnoses.anatomy import Body
from changeover.diagnoses.asked import Questions, Replies
from changeover.diagnoses.kind import Kind
from changeover.hosts.command import command
from changeover.model.diagnosis import Fault, Mending

MOST = 30.0
"""Seconds a host's clock may differ."""
SERVICES = ("chrony.service", "systemd-timesyncd.service", "ntpsec.service", "ntp.service")


class ClockKind(Kind):
    """Compares the host's clock with the one here."""

    def asks(self, body: Body) -> Questions:
        """Ask the time, and who keeps it."""
        states = command("systemctl", "show", "--property=Id,LoadState,ActiveState", *SERVICES)
        return {"clock": command("date", "+%s.%N"), "time services": states}

    def faults(self, body: Body, replies: Replies) -> Iterator[Fault]:
        """A clock that is more than half a minute off."""
        said = replies.out("clock").strip()
        skew = float(said) - body.clock.now if said else 0.0
        if abs(skew) <= MOST:
            return
        services = _services(replies.out("time services"))
        kept = [name for name, active in services.items() if active]
        stopped = [name for name, active in services.items() if not active]
        yield Fault(
            "clock-off", "clock",
            f"the clock is {_spelled(skew)} the one of this machine",
            (f"kept in time by: {', '.join(kept) or 'nothing'}",),
            _remedy(kept, stopped), grave=False,
            mending=_mending(stopped) if stopped and not kept else None,
        )  # fmt: skip


def _services(output: str) -> dict[str, bool]:
    """Return the services that are installed, and whether each runs."""
    found = {}
    for block in output.split("\n\n"):
        shown = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if shown.get("LoadState") == "loaded":
            found[shown["Id"]] = shown.get("ActiveState") == "active"
    return found


def _spelled(skew: float) -> str:
    word = "ahead of" if skew > 0 else "behind"
    size = abs(skew)
    return f"{size:.0f} s {word}" if size < 300 else f"{size / 60:.0f} min {word}"


def _remedy(kept: list[str], stopped: list[str]) -> str:
    if kept:
        return (
            f"see why {kept[0]} does not correct it: chronyc tracking, timedatectl timesync-status"
        )
    if stopped:
        return f"systemctl enable --now {stopped[0]}"
    return "apt-get install chrony (or have the hypervisor keep the time)"


def _mending(stopped: list[str]) -> Mending:
    return Mending(f"start {stopped[0]}", "systemd.start", {"unit": stopped[0]})
