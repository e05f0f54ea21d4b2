"""Programs told to supervisor: their configuration written, and taken over for them alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from changeover.actions import back
from changeover.actions.foreseen import note
from changeover.actions.paths import Placing, demand_absolute, mode_bits
from changeover.actions.supervisor import check_supervisord
from changeover.actions.wanted import Wanted
from changeover.errors import ActionFailed
from changeover.hosts.command import Command
from changeover.hosts.host import Host
from changeover.model.findings import Finding
from changeover.model.plan import Change, Effect
from changeover.tools import supervisorctl


@dataclass(frozen=True, kw_only=True)
class Program(Placing):
    """Write the configuration of programs, and have supervisor take it over for them alone.

    Programs with `autostart` are started by that; those that run are restarted where their
    configuration changed. All other programs run on untouched.
    """

    name: ClassVar[str] = "supervisor.program"

    program: str
    """Name of the program; names the file as well, where there is no `path`."""
    content: str = field(repr=False)
    """The file, with its `[program:NAME]`. `template: FILE` renders one of the bundle instead."""
    path: str = ""
    """Where the file is; left out, /etc/supervisor/conf.d/PROGRAM.conf."""
    groups: tuple[str, ...] = ()
    """Where the file tells of several programs or of groups: the names of all of them."""
    mode: str = "0644"
    """Permission bits in quotes; "0600" where `environment=` holds secrets."""
    update: bool = True
    """Whether supervisor takes the file over now, which starts and restarts what is in it. Else it
    does at its own next start."""
    config: str = ""
    """Configuration file of the supervisord that is meant, where it is not the system's."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, path=self.file)
        mode_bits(self.name, self.mode)

    @property
    def file(self) -> str:
        """Where the file is."""
        return self.path or f"/etc/supervisor/conf.d/{self.program}.conf"

    @property
    def all_groups(self) -> tuple[str, ...]:
        """What is to be taken over."""
        return self.groups or (self.program,)

    def wanted(self, host: Host) -> tuple[Wanted, ...]:
        """The file."""
        mode = mode_bits(self.name, self.mode)
        return (Wanted(self.file, content=self.content.encode(), mode=mode),)

    def check(self, host: Host) -> Iterable[Finding]:
        """supervisord must answer, and its folder be writable."""
        yield from check_supervisord(host, self.config)
        yield from super().check(host)

    def plan(self, host: Host) -> Change:
        """Compare the file, and see whether supervisor has taken it over."""
        change = super().plan(host)
        commands = tuple(map(str, self._updates()))
        if change.needed:
            return replace(change, commands=commands)
        if self.update and (due := self._due(host)):
            summary = f"have supervisor take over {', '.join(due)}"
            return replace(change, effect=Effect.UPDATE, summary=summary, commands=commands)
        return change

    def foresee(self, shadow: Host, change: Change) -> None:
        """Lay the file over the shadow; later steps find the programs known."""
        super().foresee(shadow, change)
        where = f" of {self.config}" if self.config else ""
        for group in self.all_groups if change.needed and self.update else ():
            note(shadow, f"program {group}{where}", "running")

    def apply(self, host: Host, change: Change) -> None:
        """Write the file and have it taken over; put the old one back where it is refused."""
        super().apply(host, change)
        if not self.update:
            return
        refusal = self._take_over(host)
        if refusal:
            back.put_back(host, change)
            self._take_over(host)
            raise ActionFailed(
                f"{host.name}: {self.file}: supervisor refuses it: {refusal}",
                f"{self.file} is as it was before. Correct its content.",
            )

    def undo(self, host: Host, change: Change) -> None:
        """Put the old file back and have it taken over; programs that were not there end."""
        super().undo(host, change)
        refusal = self._take_over(host) if self.update else ""
        if refusal:
            raise ActionFailed(f"{host.name}: supervisor refuses its old configuration: {refusal}")

    def _due(self, host: Host) -> list[str]:
        """Return the groups supervisor has not taken over as they are on disk."""
        told = supervisorctl.parse_reread(self._ask(host, "reread"))
        taken = supervisorctl.parse_avail(self._ask(host, "avail"))
        return [g for g in self.all_groups if g in told or g not in taken]

    def _take_over(self, host: Host) -> str:
        """Have supervisor read its configuration and take over these groups; say if it refuses."""
        said = self._ask(host, "reread")
        if "ERROR" in said:
            return said.strip().splitlines()[-1]
        pending = supervisorctl.parse_reread(said)
        due = [group for group in self.all_groups if group in pending]
        if not due:
            return ""
        # All in one: users may be waiting, and each start of supervisorctl takes its time.
        done = host.ask(supervisorctl.ctl(self.config, "update", *due))
        return "" if done.ok and "ERROR" not in done.stdout else (done.stdout + done.stderr).strip()

    def _updates(self) -> list[Command]:
        words = ("reread",), ("update", *self.all_groups)
        return [supervisorctl.ctl(self.config, *each) for each in words] if self.update else []

    def _ask(self, host: Host, word: str) -> str:
        done = host.ask(supervisorctl.ctl(self.config, word))
        return done.stdout + done.stderr
