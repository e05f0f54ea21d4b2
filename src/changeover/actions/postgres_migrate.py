"""Apply SQL migrations to a PostgreSQL database, each exactly once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from changeover.actions.base import Action
from changeover.actions.postgres import asked, failure, once
from changeover.actions.postgres_return import NONE, schema_digest
from changeover.actions.postgres_returning import Returning
from changeover.actions.postgres_since import snapshot_now
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.command import Completed
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import ledger
from changeover.tools.ledger import CHANGED, CUT, Applied, Script, Terms
from changeover.tools.psql import parse_trouble


@dataclass(frozen=True)
class Migrate(Returning, Action):
    """Apply SQL scripts in their order, each exactly once, and remember them in a ledger.

    Every script is one transaction that also writes the ledger (name, sha256, by whom, when, how
    long). An advisory lock lets one run migrate at a time. A script that was applied and then
    changed is an error. An undo restores the backup that was made before.
    """

    name: ClassVar[str] = "postgres.migrate"
    writes: ClassVar[tuple[str, ...]] = ("database",)
    limit: ClassVar[float] = 6 * 3600.0

    database: str
    """URL of the database: postgresql://user:password@host:port/name."""
    scripts: tuple[Script, ...] = ()
    """The migrations in their order: `{name: ..., source: files/...}` each."""
    folder: str = ""
    """Instead of `scripts`: a folder on the host whose `*.sql` files are applied by name."""
    ledger: str = "public.changeover_migrations"
    """The table that remembers what was applied."""
    out_of_order: Literal["refuse", "apply"] = "refuse"
    """What to do with a new script that stands before one that was applied."""
    lock_wait: float = 60
    """Seconds to wait while another run migrates this database."""
    lock_timeout: float = 30
    """Seconds a statement may wait for a lock somebody else holds; 0 waits for ever."""
    statement_timeout: float = 0
    """Seconds a script may take; 0 is no limit."""
    backup: str = ""
    """The backup an undo restores: the `backup` name of the step that made it, empty for the
    database's name, `none` for no way back."""
    admin: str = ""
    """URL of a role that may create and rename databases, for the undo."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.scripts) == bool(self.folder):
            raise InvalidRelease(
                f"{self.name}: either `scripts` or `folder` says what to apply",
                "Write one of the two.",
            )
        names = [script.name for script in self.scripts]
        for name in {n for n in names if names.count(n) > 1}:
            raise InvalidRelease(f"{self.name}: two scripts are called {name}", "Rename one.")

    def _terms(self, by: str = "") -> Terms:
        return Terms(
            self.ledger, by, self.lock_wait, self.lock_timeout, self.statement_timeout
        )  # fmt: skip

    def check(self, host: Host) -> Iterable[Finding]:
        """Report a database that cannot be reached, and scripts that were changed."""
        try:
            due = self._due(host, self._applied(host), self._wanted(host))
        except ActionFailed as error:
            return [failed(error.message, error.remedy)]
        return [passed(f"{self._database.label}: {len(due)} migrations to apply")]

    def plan(self, host: Host) -> Change:
        """Compare the ledger with the scripts."""
        applied, wanted = self._applied(host), self._wanted(host)
        due = self._due(host, applied, wanted)
        said = _said(applied)
        facts = {
            f"ledger {self.ledger} of {self._database.label}": _short(said),
            "scripts": _short(repr([(s.name, s.digest) for s in wanted])),
        }
        if not due:
            summary = f"{self._database.label} has all {len(wanted)} migrations"
            return Change(Effect.NONE, summary, facts=facts)
        named = ", ".join(s.name for s in due[:5]) + ", ..." * (len(due) > 5)
        return Change(
            Effect.RUN,
            f"migrate {self._database.label} by {len(due)} of {len(wanted)} scripts: {named}",
            commands=tuple(f"psql -d {self._database.conninfo!r} < {s.name}" for s in due),
            before=self._state(host, _short(said)),
            facts=facts,
            alters=(f"ledger {self.ledger} of {self._database.label}",),
        )

    def _state(self, host: Host, applied: str) -> dict[str, Any]:
        if self.backup == NONE:
            return {"applied": applied}
        return {
            "applied": applied,
            "schema": schema_digest(host, self._database, but=self.ledger),
            "snapshot": snapshot_now(host, self._database),
        }

    def apply(self, host: Host, change: Change) -> None:
        """Pin the backup, then run everything in one session."""
        wanted = self._wanted(host)
        self._way.begin(host, change.before)
        command = ledger.migrate(self._database, wanted, self._terms(host.key or "by hand"))
        done = once(host, self._database, command, "migrate", "migrate")
        self._way.finish(host, change.before)
        if not done.ok:
            raise self._failure(host, done, wanted)

    def _failure(self, host: Host, done: Completed, wanted: tuple[Script, ...]) -> ActionFailed:
        begun = ledger.parse_begun(done.stdout)
        doing = "migrate" if begun is None else f"migration {wanted[begun].name}"
        error = failure(host, self._database, done, doing)
        code = parse_trouble(done.stderr).code
        if code == CHANGED:
            return ActionFailed(error.message, _UNCHANGED)
        if code == CUT and begun is not None:
            name = wanted[begun].name
            return ActionFailed(
                f"{error.message}; its statements ran one by one, and some of them may hold",
                f"Finish it by hand and set applied_at of row {name} in {self.ledger}; or take"
                " back what it did and delete the row; then: changeover resume",
            )
        return error

    def verify(self, host: Host, change: Change) -> None:
        """See that the ledger has every script."""
        # A run that was killed after the last script comes back here, past `apply`.
        self._way.finish(host, change.before)
        super().verify(host, change)

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Compare with what was before; else restore the backup."""
        if not self._way.restored(host, change.before) and self._untouched(host, change):
            return Change(Effect.NONE, f"{self._database.label} is as it was before")
        return self._way.plan(host, change.before)

    def _untouched(self, host: Host, change: Change) -> bool:
        said = _said(self._applied(host))
        before = change.before
        same = before.get("applied") == _short(said)
        if self.backup == NONE:
            return same
        return same and before.get("schema") == schema_digest(host, self._database, but=self.ledger)

    def undo(self, host: Host, change: Change) -> None:
        """Restore the backup that was pinned before the first script."""
        if self.plan_undo(host, change).needed:
            self._way.go(host, change.before)

    def _wanted(self, host: Host) -> tuple[Script, ...]:
        if not self.folder:
            return self.scripts
        output = host.do(ledger.scripts_in(self.folder))
        return tuple(self._read(host, *pair) for pair in ledger.parse_scripts(output))

    def _read(self, host: Host, name: str, content: bytes) -> Script:
        try:
            return Script(name, content.decode())
        except UnicodeDecodeError as error:
            raise ActionFailed(
                f"{host.name}: {self.folder}/{name}: byte {error.start} is not UTF-8",
                "Save the script as UTF-8.",
            ) from None

    def _applied(self, host: Host) -> list[Applied]:
        lines = asked(host, self._database, ledger.read_ledger(self._terms()), "read the ledger")
        return [Applied(*line) for line in lines]

    def _due(self, host: Host, applied: list[Applied], wanted: tuple[Script, ...]) -> list[Script]:
        known = {a.name: a for a in applied}
        where = f"{host.name}: {self._database.label}"
        for script in wanted:
            if script.name in known and known[script.name].digest != script.digest:
                raise ActionFailed(
                    f"{where}: {script.name} is not what was applied as {script.name}", _UNCHANGED
                )
        due = [s for s in wanted if not (s.name in known and known[s.name].finished)]
        last = max((i for i, s in enumerate(wanted) if s not in due), default=0)
        late = [s.name for s in wanted[:last] if s in due]
        if late and self.out_of_order == "refuse":
            raise ActionFailed(
                f"{where}: {late[0]} is new and stands before {wanted[last].name}, which was"
                " applied",
                "Rename it to stand last, or write `out_of_order: apply`.",
            )
        return due


_UNCHANGED = "Bring the script back as it was and put the change into a new one."


def _said(applied: list[Applied]) -> str:
    return repr(sorted((a.name, a.digest, a.finished) for a in applied))


def _short(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()[:16]
