"""systemd units: started, stopped, restarted, reloaded, and seen to be what they should be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from changeover.actions.base import Action
from changeover.actions.foreseen import is_open, missing, note, noted
from changeover.actions.standing import Standard, shortfall
from changeover.actions.systemd_sight import COMING, UP, show, sight, yet_to_come
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import systemctl


@dataclass(frozen=True, kw_only=True)
class Units(Action):
    """An action on one or several units."""

    unit: str = ""
    """The unit, with its suffix: shop.service."""
    units: tuple[str, ...] = ()
    """Instead of `unit`: several of them, in the order they are dealt with."""

    def __post_init__(self) -> None:
        if bool(self.unit) == bool(self.units):
            raise InvalidRelease(f"{self.name}: one of unit and units is needed", "Write one.")
        for unit in self.all_units:
            if "." not in unit or "/" in unit or unit.startswith("-"):
                raise InvalidRelease(
                    f"{self.name}: {unit!r} is no name of a unit",
                    "Write it with its suffix, such as shop.service.",
                )

    @property
    def all_units(self) -> tuple[str, ...]:
        """The units, however they were written."""
        return self.units or (self.unit,)

    def check(self, host: Host) -> Iterable[Finding]:
        """Each unit must be known to systemd, and this user be allowed to deal with it."""
        number, name, _ = host.transport.who
        if number != "0":
            yield failed(
                f"systemd takes no orders from {name}", "Connect as root, or `become: sudo`."
            )
        for unit in self.all_units:
            yield known(host, unit)


@dataclass(frozen=True, kw_only=True)
class Watched(Units):
    """An action after which its units must be up."""

    port: int = 0
    """A TCP port that must accept connections before the unit counts as up."""
    within: float = 30.0
    """Seconds to come up and answer."""
    stays: float = 1.0
    """Seconds to stay up after that, without being started anew."""

    def demand_up(self, host: Host, unit: str) -> None:
        """Raise `ActionFailed` with the end of its journal unless a unit is up and stays so."""
        standard = Standard(self.within, self.stays, self.port)
        why = shortfall(lambda: sight(show(host, unit)), host, standard)
        if why:
            said = host.ask(systemctl.last_lines(unit)).stdout.strip()
            remedy = f"Its journal ends with:\n{said}" if said else f"See journalctl -u {unit}."
            raise ActionFailed(f"{host.name}: {unit}: {why}", remedy)


@dataclass(frozen=True, kw_only=True)
class Start(Watched):
    """Start units that are not active, and see that they stay up."""

    name: ClassVar[str] = "systemd.start"

    def plan(self, host: Host) -> Change:
        """See which units are not active."""
        return _activity(host, self.all_units, "active")

    def foresee(self, shadow: Host, change: Change) -> None:
        """Later steps find the units active."""
        _note_all(shadow, self.all_units, "active")

    def apply(self, host: Host, change: Change) -> None:
        """Start them, each seen up before the next; `verify` sees to the last."""
        for unit in self.all_units:
            _bring(host, unit, "active")
            if unit != self.all_units[-1]:
                self.demand_up(host, unit)

    def verify(self, host: Host, change: Change) -> None:
        """Each unit is active, answers, and stays so."""
        for unit in self.all_units:
            self.demand_up(host, unit)

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Those that were not active before are to be stopped again."""
        return _activity(host, _were(change, "inactive"), "inactive")

    def undo(self, host: Host, change: Change) -> None:
        """Stop what was started, in reverse order."""
        for unit in reversed(_were(change, "inactive")):
            _bring(host, unit, "inactive")


@dataclass(frozen=True, kw_only=True)
class Stop(Watched):
    """Stop units that are active; an undo starts them again and sees that they stay up."""

    name: ClassVar[str] = "systemd.stop"

    def plan(self, host: Host) -> Change:
        """See which units are active."""
        return _activity(host, self.all_units, "inactive")

    def foresee(self, shadow: Host, change: Change) -> None:
        """Later steps find the units inactive."""
        _note_all(shadow, self.all_units, "inactive")

    def apply(self, host: Host, change: Change) -> None:
        """Stop them, in the order they are written."""
        for unit in self.all_units:
            _bring(host, unit, "inactive")

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Those that were active before are to be started again."""
        return _activity(host, _were(change, "active"), "active")

    def undo(self, host: Host, change: Change) -> None:
        """Start what was stopped, in reverse order."""
        for unit in reversed(_were(change, "active")):
            _bring(host, unit, "active")
            self.demand_up(host, unit)


@dataclass(frozen=True, kw_only=True)
class Restart(Watched):
    """Restart units, and see that each runs as a new invocation and stays up."""

    name: ClassVar[str] = "systemd.restart"
    refreshes: ClassVar[bool] = True

    def plan(self, host: Host) -> Change:
        """A restart is always wanted; remember which invocations it replaces."""
        seen = {unit: demand_known(host, unit) for unit in self.all_units}
        return Change(
            Effect.RUN,
            f"restart {', '.join(self.all_units)}",
            commands=tuple(str(systemctl.tell("restart", unit)) for unit in self.all_units),
            before={"invocations": {u: s.get("InvocationID", "") for u, s in seen.items()}},
            alters=tuple(f"unit {unit}" for unit in self.all_units),
        )

    def foresee(self, shadow: Host, change: Change) -> None:
        """Later steps find the units active."""
        _note_all(shadow, self.all_units, "active")

    def apply(self, host: Host, change: Change) -> None:
        """Restart them, in the order they are written, each seen up before the next."""
        for unit in self.all_units:
            _tell(host, "restart", unit)
            if unit != self.all_units[-1]:
                self.demand_up(host, unit)

    def verify(self, host: Host, change: Change) -> None:
        """Each unit is up, and not by the invocation that was to be replaced."""
        for unit in self.all_units:
            self.demand_up(host, unit)
            if show(host, unit).get("InvocationID") == change.before["invocations"][unit]:
                raise ActionFailed(f"{host.name}: {unit} was not restarted", "Restart it by hand.")

    def began(self, change: Change) -> bool:
        """Whether none of the units had ever run, so that there is none to restart in an undo."""
        return not any(change.before["invocations"].values())

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Units that had never run are to be stopped."""
        return _activity(host, self.all_units, "inactive")

    def undo(self, host: Host, change: Change) -> None:
        """Stop what was started, in reverse order."""
        for unit in reversed(self.all_units):
            _bring(host, unit, "inactive")


@dataclass(frozen=True, kw_only=True)
class Reload(Watched):
    """Have units read their configuration again without ending."""

    name: ClassVar[str] = "systemd.reload"
    refreshes: ClassVar[bool] = True
    traceless: ClassVar[bool] = True

    def plan(self, host: Host) -> Change:
        """A reload is always wanted."""
        for unit in self.all_units:
            demand_known(host, unit)
        return Change(
            Effect.RUN,
            f"reload {', '.join(self.all_units)}",
            commands=tuple(str(systemctl.tell("reload", unit)) for unit in self.all_units),
        )

    def apply(self, host: Host, change: Change) -> None:
        """Reload them, in the order they are written."""
        for unit in self.all_units:
            _tell(host, "reload", unit)

    def verify(self, host: Host, change: Change) -> None:
        """Each unit is still up, answers, and stays so."""
        for unit in self.all_units:
            self.demand_up(host, unit)


def known(host: Host, unit: str) -> Finding:
    """Report whether systemd knows a unit, or an earlier step will bring it."""
    state = show(host, unit).get("LoadState", "")
    if state == "masked":
        return failed(f"{unit} is masked", f"Run `systemctl unmask {unit}` if that is not meant.")
    if state == "loaded" or _foreseen(host, unit):
        return passed(f"{unit} is known")
    return missing(host, f"no unit {unit} ({state})", "Install the unit in an earlier step.")


def demand_known(host: Host, unit: str) -> dict[str, str]:
    """Return the properties of a unit; raise `ActionFailed` where there is none."""
    now = show(host, unit)
    if now.get("LoadState") == "loaded" or _foreseen(host, unit) or is_open(host):
        return now
    raise ActionFailed(
        f"{host.name}: no unit {unit} ({now.get('LoadState')})", "Install it in an earlier step."
    )


def _foreseen(host: Host, unit: str) -> bool:
    return any(host.look(path).there for path in systemctl.unit_paths(unit))


def _activity(host: Host, units: tuple[str, ...], wanted: str) -> Change:
    """Compare which units are active with what is wanted."""
    states = {unit: _state(host, unit) for unit in units}
    due = tuple(unit for unit, state in states.items() if state != wanted)
    verb = "start" if wanted == "active" else "stop"
    return Change(
        Effect.UPDATE if due else Effect.NONE,
        f"{verb} {', '.join(due)}" if due else f"{', '.join(units) or 'nothing'} is {wanted}",
        commands=tuple(str(systemctl.tell(verb, unit)) for unit in due),
        before={"states": states},
        facts={f"unit {unit}": state for unit, state in states.items()},
        alters=tuple(f"unit {unit}" for unit in due),
        unforeseen=yet_to_come(host, units),
    )


def _state(host: Host, unit: str) -> str:
    """Return `active`, `inactive` or `failed`, as earlier steps will have left it."""
    foreseen = noted(host, f"unit {unit}")
    if foreseen:
        return foreseen
    now = demand_known(host, unit)
    state = now.get("ActiveState", "")
    return "active" if state in UP | COMING and sight(now).state != "down" else "inactive"


def _were(change: Change, state: str) -> tuple[str, ...]:
    states: dict[str, Any] = change.before["states"]
    return tuple(unit for unit, was in states.items() if was == state)


def _note_all(shadow: Host, units: tuple[str, ...], state: str) -> None:
    for unit in units:
        note(shadow, f"unit {unit}", state)


def _bring(host: Host, unit: str, wanted: str) -> None:
    _tell(host, "start" if wanted == "active" else "stop", unit)


def _tell(host: Host, verb: str, unit: str) -> None:
    """Tell systemd once; what it then says is judged by how the unit looks."""
    done = host.once(systemctl.tell(verb, unit), label=f"{verb} {unit}")
    if not done.ok:
        said = host.ask(systemctl.last_lines(unit)).stdout.strip()
        raise ActionFailed(
            f"{host.name}: systemctl {verb} {unit}: {done.stderr.strip().splitlines()[0]}"
            if done.stderr.strip()
            else f"{host.name}: systemctl {verb} {unit}: exited {done.code}",
            f"Its journal ends with:\n{said}",
        )
