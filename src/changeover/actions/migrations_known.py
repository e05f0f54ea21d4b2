"""Whether code knows the schema it would run on, asked before anything stops."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.paths import demand_absolute, require_account
from changeover.errors import ActionFailed
from changeover.hosts.command import Command
from changeover.hosts.host import Host
from changeover.model.findings import Finding
from changeover.model.plan import Change, Effect


@dataclass(frozen=True)
class Known(Action):
    """See that code knows the revision of the database, and note the newest it has.

    A migration tool says no where the database stands at a revision the code does not have: it is
    older than the schema. Asked in `prepare`, this refuses while everything still runs. What
    `heads` prints goes to a file in the release's own folder, for a `migrations.tool` that then
    need not start the tool for it while users wait.
    """

    name: ClassVar[str] = "migrations.known"
    harmless: ClassVar[bool] = True

    cwd: str
    """The folder of the code."""
    current: tuple[str, ...] = ()
    """Words of the command that fails on a revision it does not know; empty asks nothing."""
    heads: tuple[str, ...] = ()
    """Words of the command that prints the newest revision."""
    noted: str = ""
    """The file to write what `heads` prints to."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Settings for the tool; never secrets."""
    user: str = ""
    """The system user it runs as."""
    remedy: str = ""
    """What to do where the code does not know the schema."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, cwd=self.cwd, **({"noted": self.noted} if self.noted else {}))

    def check(self, host: Host) -> Iterable[Finding]:
        """The user must be known."""
        yield from require_account(host, self.user)

    def plan(self, host: Host) -> Change:
        """Say what is asked; nothing changes but the note."""
        return Change(
            Effect.RUN,
            f"make sure that {self.cwd} knows the schema" if self.current else "note its revision",
            unforeseen="the code is asked when its turn comes",
        )

    def apply(self, host: Host, change: Change) -> None:
        """Ask, and write the note."""
        if self.current:
            self._asked(host, self.current)
        if self.heads:
            said = self._asked(host, self.heads)
            if self.noted:
                host.write(self.noted, said.encode(), owner=self.user)

    def verify(self, host: Host, change: Change) -> None:
        """See that the note is there."""
        if self.noted and self.heads and not host.look(self.noted).there:
            raise ActionFailed(f"{host.name}: {self.noted}: was not written", "Look at the disk.")

    def _asked(self, host: Host, words: tuple[str, ...]) -> str:
        done = host.ask(Command(words, cwd=self.cwd, env=self.env, user=self.user))
        if not done.ok:
            last = (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]
            where = f"{host.name}: {posixpath.basename(self.cwd)}"
            raise ActionFailed(
                f"{where}: `{' '.join(words)}` exited {done.code}: {last}",
                self.remedy or "The code is older than the schema, or does not reach the database.",
            )
        return done.stdout
