"""Programs taken away from supervisor: stopped, their configuration removed, and forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from changeover.actions.paths import demand_absolute
from changeover.actions.supervisor_program import Program
from changeover.actions.wanted import Wanted
from changeover.errors import InvalidRelease
from changeover.hosts.host import Host
from changeover.model.plan import Change
from changeover.tools import supervisorctl


@dataclass(frozen=True, kw_only=True)
class Forget(Program):
    """Stop programs, remove their configuration, and have supervisor forget them.

    A program whose file is removed, and that was only stopped, is still known to supervisor: told
    of it again with the same configuration, it does not start it. An undo brings the file back and
    has it taken over, which starts what has `autostart`.
    """

    name: ClassVar[str] = "supervisor.forget"

    content: str = field(default="", repr=False)
    """Not used."""

    def __post_init__(self) -> None:
        if self.content:
            raise InvalidRelease(f"{self.name}: content: nothing is written", "Leave it out.")
        demand_absolute(self.name, path=self.file)

    def wanted(self, host: Host) -> tuple[Wanted, ...]:
        """No file."""
        return (Wanted(self.file, "absent"),)

    def foresee(self, shadow: Host, change: Change) -> None:
        """Later steps find no file."""
        shadow.remove(self.file)

    def _due(self, host: Host) -> list[str]:
        """Return the groups supervisor knows still."""
        known = supervisorctl.parse_status(self._ask(host, "status"))
        active = {process.name.partition(":")[0] for process in known}
        return [group for group in self.all_groups if group in active]
