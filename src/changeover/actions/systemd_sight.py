"""What systemd shows of a unit, and whether that is up."""

from __future__ import annotations

from changeover.actions.foreseen import is_open
from changeover.actions.standing import Sight
from changeover.hosts.host import Host
from changeover.tools import systemctl

UP = frozenset({"active", "reloading"})
COMING = frozenset({"activating", "deactivating"})


def show(host: Host, unit: str) -> dict[str, str]:
    """Return the properties of a unit."""
    return systemctl.parse_show(host.do(systemctl.show(unit)))


def yet_to_come(host: Host, units: tuple[str, ...]) -> str:
    """Say that a unit comes with an earlier step, whose package may enable and start it as well."""
    if is_open(host) and any(show(host, unit).get("LoadState") != "loaded" for unit in units):
        return "the unit comes with an earlier step"
    return ""


def sight(now: dict[str, str]) -> Sight:
    """Judge the properties of a unit."""
    told = f"{now.get('ActiveState')} ({now.get('SubState')}, result {now.get('Result')})"
    identity = f"{now.get('InvocationID')}/{now.get('NRestarts', '0')}"
    active = now.get("ActiveState", "")
    over = active == "inactive" and now.get("Type") == "oneshot" and now.get("Result") == "success"
    if active in UP or over:
        return Sight("up", told, identity)
    if active in COMING and now.get("SubState") != "auto-restart":
        return Sight("coming", told)
    return Sight("down", f"{told}, main program exited {now.get('ExecMainStatus', '?')}")
