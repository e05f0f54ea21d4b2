"""systemd unit files: written, enabled, disabled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from changeover.actions import back
from changeover.actions.foreseen import note, noted
from changeover.actions.paths import Placing, check_program, demand_absolute, mode_bits
from changeover.actions.systemd import Units, demand_known
from changeover.actions.systemd_sight import show, yet_to_come
from changeover.actions.wanted import Wanted
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import Host
from changeover.model.findings import Finding
from changeover.model.plan import Change, Effect
from changeover.tools import coreutils, systemctl

ON, OFF = "enabled", "disabled"


@dataclass(frozen=True, kw_only=True)
class Enable(Units):
    """Have units start when the host does."""

    name: ClassVar[str] = "systemd.enable"

    def plan(self, host: Host) -> Change:
        """See which units are not enabled."""
        return _enablement(host, self.all_units, ON)

    def foresee(self, shadow: Host, change: Change) -> None:
        """Later steps find the units enabled."""
        _note_all(shadow, self.all_units, ON)

    def apply(self, host: Host, change: Change) -> None:
        """Enable them."""
        for unit in self.all_units:
            host.do(systemctl.tell("enable", unit))

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Those that were not enabled before are to be disabled."""
        return _enablement(host, _were(change, OFF), OFF)

    def undo(self, host: Host, change: Change) -> None:
        """Disable what was enabled."""
        for unit in _were(change, OFF):
            host.do(systemctl.tell("disable", unit))


@dataclass(frozen=True, kw_only=True)
class Disable(Units):
    """Have units no longer start when the host does; those that run go on running."""

    name: ClassVar[str] = "systemd.disable"

    def plan(self, host: Host) -> Change:
        """See which units are enabled."""
        return _enablement(host, self.all_units, OFF)

    def foresee(self, shadow: Host, change: Change) -> None:
        """Later steps find the units disabled."""
        _note_all(shadow, self.all_units, OFF)

    def apply(self, host: Host, change: Change) -> None:
        """Disable them."""
        for unit in self.all_units:
            host.do(systemctl.tell("disable", unit))

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Those that were enabled before are to be enabled again."""
        return _enablement(host, _were(change, ON), ON)

    def undo(self, host: Host, change: Change) -> None:
        """Enable what was disabled."""
        for unit in _were(change, ON):
            host.do(systemctl.tell("enable", unit))


@dataclass(frozen=True, kw_only=True)
class Unit(Placing):
    """Install a unit file or a drop-in, and have systemd read it.

    A file that systemd refuses is taken away again at once, and the old one put back.
    """

    name: ClassVar[str] = "systemd.unit"

    unit: str
    """The unit, with its suffix: shop.service."""
    content: str = field(repr=False)
    """All that must be in the file. `template: FILE` renders a file of the bundle instead."""
    drop_in: str = ""
    """For a drop-in, its name, such as limits.conf: it adds to the unit, whoever installed that."""
    folder: str = "/etc/systemd/system"
    """Where unit files are."""
    mode: str = "0644"
    """Permission bits in quotes."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, folder=self.folder)
        mode_bits(self.name, self.mode)
        if "." not in self.unit or "/" in self.unit:
            raise InvalidRelease(
                f"{self.name}: unit: {self.unit!r} is no name of a unit",
                "Write it with its suffix, such as shop.service.",
            )
        if self.drop_in and (not self.drop_in.endswith(".conf") or "/" in self.drop_in):
            raise InvalidRelease(
                f"{self.name}: drop_in: {self.drop_in!r} is no name of a drop-in",
                "systemd reads only names that end in .conf.",
            )

    @property
    def path(self) -> str:
        """Where the file is."""
        above = f"{self.folder}/{self.unit}"
        return f"{above}.d/{self.drop_in}" if self.drop_in else above

    def wanted(self, host: Host) -> tuple[Wanted, ...]:
        """The file, and the folder of drop-ins around it."""
        mode = mode_bits(self.name, self.mode)
        file = Wanted(self.path, content=self.content.encode(), mode=mode)
        folder = Wanted(f"{self.folder}/{self.unit}.d", "dir")
        return (folder, file) if self.drop_in else (file,)

    def check(self, host: Host) -> Iterable[Finding]:
        """systemd must be there, and its folder writable."""
        yield from check_program(host, "systemctl")
        yield from super().check(host)

    def plan(self, host: Host) -> Change:
        """Compare the file, and see whether systemd has read it."""
        change = super().plan(host)
        commands = (str(systemctl.daemon_reload()),)
        if change.needed:
            return replace(change, commands=commands)
        if show(host, self.unit).get("NeedDaemonReload") == "yes":
            summary = f"have systemd read {self.path}"
            return replace(change, effect=Effect.UPDATE, summary=summary, commands=commands)
        return change

    def apply(self, host: Host, change: Change) -> None:
        """Write the file, have it judged, and have systemd read it."""
        super().apply(host, change)
        refusal = self._refusal(host)
        if refusal:
            back.put_back(host, change)
            raise ActionFailed(
                f"{host.name}: {refusal}", f"{self.path} is as it was before. Correct its content."
            )
        host.do(systemctl.daemon_reload())

    def verify(self, host: Host, change: Change) -> None:
        """systemd has read the file and made sense of it."""
        now = show(host, self.unit)
        # A template (shop@.service) is only ever loaded as one of its instances.
        if now.get("LoadState") != "loaded" and "@." not in self.unit:
            raise ActionFailed(
                f"{host.name}: {self.unit}: systemd says {now.get('LoadState')}",
                f"Run systemd-analyze verify {self.path} to see why.",
            )
        super().verify(host, change)

    def undo(self, host: Host, change: Change) -> None:
        """Put the old file back, and have systemd read it."""
        super().undo(host, change)
        host.do(systemctl.daemon_reload())

    def _refusal(self, host: Host) -> str:
        """Return what systemd has against the file; empty where it has nothing, or cannot tell."""
        if not host.ask(coreutils.which("systemd-analyze")).ok:
            return ""
        judged = self.unit if self.drop_in else self.path
        done = host.ask(systemctl.verify(judged))
        # It also complains about units this one only refers to; those are not this step's.
        ours = [ln for ln in done.stderr.splitlines() if ln.startswith((self.path, self.unit))]
        return "" if done.ok else "; ".join(ours)


def _enablement(host: Host, units: tuple[str, ...], wanted: str) -> Change:
    states = {unit: _state(host, unit) for unit in units}
    due = tuple(unit for unit, state in states.items() if state not in (wanted, "static"))
    verb = "enable" if wanted == ON else "disable"
    told = ", ".join(f"{unit} is {state}" for unit, state in states.items()) or "nothing to do"
    return Change(
        Effect.UPDATE if due else Effect.NONE,
        f"{verb} {', '.join(due)}" if due else told,
        commands=tuple(str(systemctl.tell(verb, unit)) for unit in due),
        before={"states": states},
        facts={f"enabled {unit}": state for unit, state in states.items()},
        alters=tuple(f"enabled {unit}" for unit in due),
        unforeseen=yet_to_come(host, units),
    )


def _state(host: Host, unit: str) -> str:
    """Return `enabled`, `disabled`, or `static` for a unit that can be neither."""
    foreseen = noted(host, f"enabled {unit}")
    if foreseen:
        return foreseen
    state = demand_known(host, unit).get("UnitFileState", "")
    if state in systemctl.CANNOT_BE_ENABLED:
        return "static"
    return ON if state.startswith(ON) else OFF


def _were(change: Change, state: str) -> tuple[str, ...]:
    states: dict[str, Any] = change.before["states"]
    return tuple(unit for unit, was in states.items() if was == state)


def _note_all(shadow: Host, units: tuple[str, ...], state: str) -> None:
    for unit in units:
        note(shadow, f"enabled {unit}", state)
