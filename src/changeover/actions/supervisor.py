"""Programs under supervisor: started, stopped, restarted, and seen to answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.foreseen import missing, note, noted
from changeover.actions.standing import Sight, Standard, shortfall
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.command import Completed
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import coreutils, supervisorctl
from changeover.tools.supervisorctl import Process


@dataclass(frozen=True, kw_only=True)
class Programs(Action):
    """An action on one or several programs of one supervisord."""

    program: str = ""
    """The program; `group:*` for all of a group."""
    programs: tuple[str, ...] = ()
    """Instead of `program`: several of them, in the order they are dealt with."""
    config: str = ""
    """Configuration file of the supervisord that is meant, where it is not the system's."""
    port: int = 0
    """A TCP port that must accept connections before the program counts as up."""
    url: str = ""
    """An address that must answer with a code from 200 to 399 before it counts as up."""
    within: float = 30.0
    """Seconds to come up and answer."""
    stays: float = 1.0
    """Seconds to stay up after that, without being started anew."""

    def __post_init__(self) -> None:
        if bool(self.program) == bool(self.programs):
            raise InvalidRelease(
                f"{self.name}: one of program and programs is needed", "Write one."
            )

    @property
    def all_programs(self) -> tuple[str, ...]:
        """The programs, however they were written."""
        return self.programs or (self.program,)

    def check(self, host: Host) -> Iterable[Finding]:
        """supervisord must answer, and know the programs."""
        trouble = list(check_supervisord(host, self.config))
        yield from trouble
        for program in () if trouble else self.all_programs:
            if self.look(host, program) or noted(host, self._fact(program)):
                yield passed(f"{program} is known")
            else:
                yield missing(
                    host,
                    f"supervisor knows no program {program}",
                    "Add a supervisor.program step before.",
                )

    def look(self, host: Host, program: str) -> list[Process]:
        """Return the processes of a program."""
        return processes(host, self.config, program)

    def compared(self, host: Host, wanted: str) -> Change:
        """Compare which programs run with what is wanted: `running` or `stopped`."""
        states = {program: self._state(host, program) for program in self.all_programs}
        due = tuple(program for program, state in states.items() if state != wanted)
        verb = "start" if wanted == "running" else "stop"
        return Change(
            Effect.UPDATE if due else Effect.NONE,
            f"{verb} {', '.join(due)}" if due else f"{', '.join(states)} is {wanted}",
            commands=tuple(str(supervisorctl.ctl(self.config, verb, p)) for p in due),
            before={"states": states},
            facts={self._fact(program): state for program, state in states.items()},
            alters=tuple(map(self._fact, due)),
        )

    def returned(self, host: Host, change: Change, wanted: str) -> Change:
        """Compare which of the programs that were so before are so now."""
        was = {p for p, state in change.before["states"].items() if state == wanted}
        again = self.compared(host, wanted)
        due = [
            p for p in again.before["states"] if p in was and again.before["states"][p] != wanted
        ]
        verb = "start" if wanted == "running" else "stop"
        effect = Effect.UPDATE if due else Effect.NONE
        summary = f"{verb} {', '.join(due)}" if due else "all is as it was before"
        return Change(effect, summary, facts=again.facts, alters=tuple(map(self._fact, due)))

    def foretell(self, shadow: Host, state: str) -> None:
        """Let later steps find the programs in a state."""
        for program in self.all_programs:
            note(shadow, self._fact(program), state)

    def start(self, host: Host, program: str) -> None:
        """Start a program and see that it is up, answers and stays so."""
        self._take_over(host, program)
        self.demand_up(host, program, self.tell(host, "start", program))

    def _take_over(self, host: Host, program: str) -> None:
        """Have supervisord take a file over that came back after it was started."""
        group = program.partition(":")[0]
        if not self.look(host, program):
            told = host.ask(supervisorctl.ctl(self.config, "reread")).stdout
            if supervisorctl.parse_reread(told).get(group) == "available":
                host.do(supervisorctl.ctl(self.config, "add", group))

    def tell(self, host: Host, verb: str, program: str) -> Completed:
        """Say start, stop or restart, once. The exit code means little: how it looks counts."""
        return host.once(supervisorctl.ctl(self.config, verb, program), label=f"{verb} {program}")

    def each(self, host: Host, verb: str) -> None:
        """Start or restart all, each seen up before the next; `verify` sees to the last."""
        for program in self.all_programs:
            done = self.tell(host, verb, program)
            if program != self.all_programs[-1]:
                self.demand_up(host, program, done)

    def stop(self, host: Host, program: str) -> None:
        """Stop a program and see that it has ended."""
        done = self.tell(host, "stop", program)
        if self._state(host, program) != "stopped":
            raise ActionFailed(f"{host.name}: {program} did not stop: {_said(done)}")

    def demand_up(self, host: Host, program: str, done: Completed | None = None) -> None:
        """Raise `ActionFailed` with the end of its log unless a program is up and answers."""
        standard = Standard(self.within, self.stays, self.port, self.url)
        why = shortfall(lambda: sight(self.look(host, program)), host, standard)
        if why:
            said = f" ({_said(done)})" if done and not done.ok else ""
            raise ActionFailed(f"{host.name}: {program}: {why}{said}", self._log(host, program))

    def _state(self, host: Host, program: str) -> str:
        foreseen = noted(host, self._fact(program))
        if foreseen:
            return foreseen
        return "running" if sight(self.look(host, program)).state != "down" else "stopped"

    def _fact(self, program: str) -> str:
        return f"program {program}" + (f" of {self.config}" if self.config else "")

    def _log(self, host: Host, program: str) -> str:
        """Return the end of what the program printed, its errors first."""
        names = [p.name for p in self.look(host, program)] or [program]
        for stream in ("stderr", "stdout"):
            done = host.ask(supervisorctl.ctl(self.config, "tail", "-2000", names[0], stream))
            # Without a file of its own for errors, the message about that is all there is.
            if done.ok and done.stdout.strip() and "(no log file)" not in done.stdout:
                lines = "\n".join(done.stdout.strip().splitlines()[-12:])
                return f"Its {stream} ends with:\n{lines}"
        return f"Look at the log files named in the configuration of {program}."


@dataclass(frozen=True, kw_only=True)
class Start(Programs):
    """Start programs, and see that they answer and stay up."""

    name: ClassVar[str] = "supervisor.start"

    def plan(self, host: Host) -> Change:
        """See which programs do not run."""
        return self.compared(host, "running")

    def foresee(self, shadow: Host, change: Change) -> None:
        """Later steps find the programs running."""
        self.foretell(shadow, "running")

    def apply(self, host: Host, change: Change) -> None:
        """Start them, each seen up before the next."""
        self.each(host, "start")

    def verify(self, host: Host, change: Change) -> None:
        """Each program is up and answers."""
        for program in self.all_programs:
            self.demand_up(host, program)

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Those that did not run before are to be stopped again."""
        return self.returned(host, change, "stopped")

    def undo(self, host: Host, change: Change) -> None:
        """Stop what was started, in reverse order."""
        states = change.before["states"]
        for program in reversed([p for p in self.all_programs if states[p] == "stopped"]):
            self.stop(host, program)


@dataclass(frozen=True, kw_only=True)
class Stop(Programs):
    """Stop programs; an undo starts those that ran, and sees that they answer."""

    name: ClassVar[str] = "supervisor.stop"

    def plan(self, host: Host) -> Change:
        """See which programs run."""
        return self.compared(host, "stopped")

    def foresee(self, shadow: Host, change: Change) -> None:
        """Later steps find the programs stopped."""
        self.foretell(shadow, "stopped")

    def apply(self, host: Host, change: Change) -> None:
        """Stop them, in the order they are written."""
        for program in self.all_programs:
            self.stop(host, program)

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Those that ran before are to be started again."""
        return self.returned(host, change, "running")

    def undo(self, host: Host, change: Change) -> None:
        """Start what was stopped, in reverse order."""
        states = change.before["states"]
        for program in reversed([p for p in self.all_programs if states[p] == "running"]):
            self.start(host, program)


@dataclass(frozen=True, kw_only=True)
class Restart(Programs):
    """Restart programs, and see that each is a new process that answers and stays up."""

    name: ClassVar[str] = "supervisor.restart"
    refreshes: ClassVar[bool] = True

    def plan(self, host: Host) -> Change:
        """A restart is always wanted; remember which processes it replaces."""
        pids = {p: [one.pid for one in self.look(host, p)] for p in self.all_programs}
        return Change(
            Effect.RUN,
            f"restart {', '.join(self.all_programs)}",
            commands=tuple(
                str(supervisorctl.ctl(self.config, "restart", p)) for p in self.all_programs
            ),
            before={"pids": pids},
            alters=tuple(map(self._fact, self.all_programs)),
        )

    def foresee(self, shadow: Host, change: Change) -> None:
        """Later steps find the programs running."""
        self.foretell(shadow, "running")

    def apply(self, host: Host, change: Change) -> None:
        """Restart them, each seen up before the next."""
        self.each(host, "restart")

    def verify(self, host: Host, change: Change) -> None:
        """Each program runs as another process than before, and answers."""
        for program in self.all_programs:
            self.demand_up(host, program)
            now = {one.pid for one in self.look(host, program)}
            if now & set(change.before["pids"][program]) - {""}:
                raise ActionFailed(
                    f"{host.name}: {program} was not restarted", "Restart it by hand."
                )


def processes(host: Host, config: str, program: str) -> list[Process]:
    """Return the processes of a program; none where supervisord does not know it."""
    return supervisorctl.parse_status(host.ask(supervisorctl.ctl(config, "status", program)).stdout)


def sight(seen: list[Process]) -> Sight:
    """Judge the processes of a program together."""
    told = ", ".join(f"{p.name} is {p.state} ({p.told})" for p in seen)
    states = {p.state for p in seen}
    if not seen:
        return Sight("down", "supervisor does not know it")
    if states == {supervisorctl.RUNNING}:
        return Sight("up", told, " ".join(p.pid for p in seen))
    if states <= {supervisorctl.RUNNING, *supervisorctl.COMING}:
        return Sight("coming", told)
    return Sight("down", told)


def check_supervisord(host: Host, config: str) -> Iterator[Finding]:
    """Report where supervisord cannot be spoken to."""
    if not host.ask(coreutils.which("supervisorctl")).ok:
        yield missing(host, "supervisorctl: no such program", "Install supervisor first.")
        return
    done = host.ask(supervisorctl.ctl(config, "pid"))
    if not done.ok or not done.stdout.strip().isdigit():
        yield failed(
            f"supervisord{f' of {config}' if config else ''} does not answer: {_said(done)}",
            "Start it, connect as a user who may speak to it, or name its `config`.",
        )


def _said(done: Completed) -> str:
    return (done.stderr.strip() or done.stdout.strip() or f"exited {done.code}").splitlines()[-1]
