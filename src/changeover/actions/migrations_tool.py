"""Let a platform's own migration tool bring its database to a revision."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

from changeover.actions.base import Action
from changeover.actions.links import real_path
from changeover.actions.postgres import asked, must
from changeover.actions.postgres_return import WayBack, schema_digest
from changeover.actions.postgres_returning import Returning
from changeover.actions.postgres_since import snapshot_now
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.command import Command, Completed
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import pg_dump
from changeover.tools.psql import Database, parse_trouble, question

PLACE = "{revision}"

NO_TABLE = "42P01"


@dataclass(frozen=True)
class Tool(Returning, Action):
    """Run a migration tool (alembic, Django, ...) and compare the revision before and after.

    A tool that fails half-way fails the step, which then says at which revision the database
    stands. An undo does nothing where nothing moved, downgrades where the release trusts the
    downgrade, and restores the backup made before otherwise.
    """

    name: ClassVar[str] = "migrations.tool"
    writes: ClassVar[tuple[str, ...]] = ("database",)
    limit: ClassVar[float] = 6 * 3600.0

    database: str
    """URL of the database the tool migrates."""
    current: tuple[str, ...]
    """Words of the command that prints the revision: [venv/bin/alembic, current]."""
    upgrade: tuple[str, ...]
    """Words of the command that migrates: [venv/bin/alembic, upgrade, head]."""
    heads: tuple[str, ...] = ()
    """Words of the command that prints the newest revision: [venv/bin/alembic, heads]."""
    noted: str = ""
    """A file with what `heads` prints, written by a `migrations.known` before the stop: the tool is
    then not started for it while users wait."""
    revision_sql: str = ""
    """A statement that gives the revision: the database is asked instead of `current`, which takes
    no start of the tool. Empty where its table is not there yet."""
    target: str = ""
    """The revision to arrive at, where no command tells."""
    downgrade: tuple[str, ...] = ()
    """Words that go back; `{revision}` stands for the one before."""
    revision: str = r"(?m)^(\w+)"
    """A regular expression whose first group is a revision in what `current` and `heads` print."""
    heads_revision: str = ""
    """Another expression for `heads`, where it prints otherwise."""
    cwd: str = ""
    """The folder all commands run in."""
    user: str = ""
    """The system user they run as."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Settings for them; never secrets, which every process list would show."""
    way_back: Literal["restore", "downgrade"] = "restore"
    """What an undo does; a downgrade is compared with the backup and must be run while the newer
    code is still there, so that this step's place is after the code's."""
    online: bool = False
    """The running code works on the older and on the newer schema: the service keeps running."""
    backup: str = ""
    """The backup an undo restores: the `backup` name of the step that made it, empty for the
    database's name, `none` for no way back."""
    admin: str = ""
    """URL of a role that may create and rename databases, for the undo."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for expression in (self.revision, self.heads_revision or self.revision):
            try:
                if re.compile(expression).groups < 1:
                    raise re.error("it has no group")
            except re.error as error:
                raise InvalidRelease(
                    f"{self.name}: revision: {error}", "Put the revision itself in ( )."
                ) from None
        if self.way_back == "downgrade" and not self.downgrade:
            raise InvalidRelease(f"{self.name}: way_back is downgrade", "Write `downgrade: [...]`.")

    @cached_property
    def _way(self) -> WayBack:
        return WayBack(self._database, self.backup, self._admin, online=self.online)

    def check(self, host: Host) -> Iterable[Finding]:
        """Report a tool that does not tell its revision."""
        if self._missing(host):
            return []
        try:
            return [passed(f"{self._database.label}: stands at {self._stands(host)}")]
        except ActionFailed as error:
            return [failed(error.message, error.remedy)]

    def plan(self, host: Host) -> Change:
        """Compare the revision with the target."""
        facts = {f"file {self.cwd}": host.look(self.cwd).fact()} if self.cwd else {}
        if self._missing(host):
            why = f"{self.cwd} is not there yet"
            return Change(
                Effect.RUN, f"migrate {self._database.label}", facts=facts, unforeseen=why
            )
        stands, target = self._stands(host), self._target(host)
        facts[f"revision of {self._database.label}"] = stands
        if stands == target:
            summary = f"{self._database.label} stands at {stands}"
            return Change(Effect.NONE, summary, facts=facts)
        return Change(
            Effect.RUN,
            f"migrate {self._database.label} from {stands or 'nothing'} to"
            f" {target or 'what the tool has'}",
            commands=(str(self._command(self.upgrade)),),
            before={**self._state(host, stands), "target": target},
            facts=facts,
            alters=(f"revision of {self._database.label}",),
        )

    def _missing(self, host: Host) -> bool:
        # A folder may be foreseen; the tool in it is there only once a step has installed it.
        program = self.upgrade[0] if "/" in self.upgrade[0] else ""
        gone = bool(self.cwd) and not host.look(posixpath.join(self.cwd, program)).there
        return gone or bool(self.noted and not host.look(self.noted).there)

    def _state(self, host: Host, stands: str) -> dict[str, Any]:
        return {
            "revision": stands,
            "schema": schema_digest(host, self._database),
            "snapshot": snapshot_now(host, self._database),
        }

    def apply(self, host: Host, change: Change) -> None:
        """Pin the backup, run the tool once, and read where it arrived."""
        self._way.begin(host, change.before)
        done = host.once(self._command(self.upgrade), label="upgrade")
        self._way.finish(host, change.before)
        if not done.ok:
            raise self._failure(host, "upgrade", done, change.before.get("revision", ""))

    def verify(self, host: Host, change: Change) -> None:
        """See that the revision is the target."""
        # A run that was killed after the tool ended comes back here, past `apply`.
        self._way.finish(host, change.before)
        # Users wait meanwhile: what the plan has read of the same code is not asked for again.
        target = change.before["target"] if "target" in change.before else self._target(host)
        stands = self._stands(host)
        if target and stands != target:
            raise ActionFailed(
                f"{host.name}: {self._database.label}: the tool ended without a complaint at"
                f" {stands or 'nothing'}, not at {target}",
                "Look at its output: changeover logs",
            )

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Do nothing where nothing moved; else downgrade, or restore the backup."""
        before = change.before
        if self._way.restored(host, before):
            return self._way.plan(host, before)
        if self._untouched(host, before):
            return Change(Effect.NONE, f"{self._database.label} is as it was before")
        if self.way_back == "restore" or not before.get("revision"):
            return self._way.plan(host, before)
        command = self._command(self._downgrade_words(before))
        summary = f"downgrade {self._database.label} to {before['revision']}, compare its content"
        return Change(Effect.RUN, summary, commands=(str(command),))

    def _untouched(self, host: Host, before: Mapping[str, Any]) -> bool:
        if not before:
            return True
        same = before["schema"] == schema_digest(host, self._database)
        return same and (self._missing(host) or before["revision"] == self._stands(host))

    def undo(self, host: Host, change: Change) -> None:
        """Go back, and prove it."""
        planned = self.plan_undo(host, change)
        if planned.effect is Effect.RUN:
            self._go_down(host, change.before)
        elif planned.needed:
            self._way.go(host, change.before)

    def _downgrade_words(self, before: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(word.replace(PLACE, before["revision"]) for word in self.downgrade)

    def _go_down(self, host: Host, before: Mapping[str, Any]) -> None:
        self._way.note_later(host, before)
        done = host.once(self._command(self._downgrade_words(before)), label="downgrade")
        wrong = self._wrong(host, done, before)
        if not wrong:
            return
        if self._way.plan(host, before).question:
            raise ActionFailed(
                f"{host.name}: {self._database.label}: the downgrade cannot be trusted: {wrong}",
                "Rows were written since: mend the schema by hand, or restore the backup:"
                " write `way_back: restore`, then: changeover resume",
            )
        self._way.go(host, before)

    def _wrong(self, host: Host, done: Completed, before: Mapping[str, Any]) -> str:
        """Say what is wrong after a downgrade; empty where its content was proven."""
        if not done.ok:
            return str(self._failure(host, "downgrade", done, before["revision"]))
        stands = self._stands(host)
        if stands != before["revision"]:
            return f"it stands at {stands or 'nothing'}, not at {before['revision']}"
        if before["schema"] != schema_digest(host, self._database):
            return "its schema is not what it was"
        found = self._other_rows(host, before)
        return f"other rows than before in {', '.join(found)}" if found else ""

    def _other_rows(self, host: Host, before: Mapping[str, Any]) -> list[str]:
        was = self._way.rows_before(host, before)
        now = asked(host, self._database, pg_dump.rows(), "compare the content")
        later = self._way.note_later(host, before)
        return [line[0] for line in now if was.get(line[0]) != line[1:] and line[0] not in later]

    def _failure(self, host: Host, verb: str, done: Completed, was: str) -> ActionFailed:
        last = (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]
        return ActionFailed(
            f"{host.name}: {self._database.label}: {verb} exited {done.code} (before it stood at"
            f" {was or 'nothing'}, now at {self._standing(host)}): {last}",
            "Mend what it says, then: changeover resume; or go back: changeover undo",
        )

    def _standing(self, host: Host) -> str:
        try:
            return self._stands(host) or "nothing"
        except ActionFailed:
            return "a revision it does not tell"

    def _stands(self, host: Host) -> str:
        if self.revision_sql:
            return revision_in(host, self._database, self.revision_sql)
        return self._read(host, self.current, self.revision)

    def _target(self, host: Host) -> str:
        if self.target or not (self.heads or self.noted):
            return self.target
        expression = self.heads_revision or self.revision
        if self.noted:
            return shortened((host.read(self.noted) or b"").decode(), expression)
        return self._read(host, self.heads, expression)

    def _read(self, host: Host, words: tuple[str, ...], expression: str) -> str:
        # While planning, a link such as `next` still leads to another release on the real host.
        cwd = real_path(host, self.cwd) if self.cwd else ""
        done = host.ask(self._command(words).within(cwd))
        if not done.ok:
            last = (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]
            raise ActionFailed(
                f"{host.name}: {self._database.label}: `{' '.join(words)}` exited {done.code}:"
                f" {last}",
                "The tool must tell its revision: see that it runs and reaches the database. An"
                " older tool does not know a newer revision.",
            )
        return shortened(done.stdout, expression)

    def _command(self, words: tuple[str, ...]) -> Command:
        return Command(words, cwd=self.cwd, env=self.env, user=self.user)


def shortened(output: str, expression: str) -> str:
    """Return the revisions in what a tool printed; many are told by the last and a digest."""
    found = [m[1] for m in re.finditer(expression, output)]
    if len(found) <= 2:
        return ", ".join(found)
    digest = hashlib.sha256(json.dumps(found).encode()).hexdigest()[:8]
    return f"{found[-1]} and {len(found) - 1} more ({digest})"


def revision_in(host: Host, database: Database, sql: str) -> str:
    """Ask a database for its revision; empty where the tool has not made its table yet."""
    done = host.ask(question(database, sql.strip().rstrip(";")))
    if not done.ok and parse_trouble(done.stderr).code == NO_TABLE:
        return ""
    return ", ".join(must(host, database, done, "ask for the revision").split())
