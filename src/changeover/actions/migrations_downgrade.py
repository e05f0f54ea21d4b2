"""Bringing a schema back with the migrations' own downgrade, trusted only once content agrees."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from changeover.actions.base import Action
from changeover.actions.links import real_path
from changeover.actions.migrations_tool import PLACE, revision_in, shortened
from changeover.actions.postgres import asked
from changeover.actions.postgres_kept import folder_of
from changeover.actions.postgres_return import Mark, schema_digest
from changeover.actions.postgres_returning import Returning
from changeover.actions.postgres_since import snapshot_now, written_since
from changeover.errors import ActionFailed
from changeover.hosts.command import Command, Completed
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import pg_dump


@dataclass(frozen=True)
class Downgrade(Returning, Action):
    """Downgrade a schema with the code that is newer, for older code, and prove the content.

    That the tool exits 0 proves nothing. The schema must be what it was before the migration away
    from that revision (as noted on this host then); every table nobody wrote to since must hold
    the rows of the backup made before it; the others must keep their number of rows. Where that
    migration was not seen here, nothing can be compared, and the downgrade is refused. A step that
    failed goes on failing: an undo restores the backup made just before.
    """

    name: ClassVar[str] = "migrations.downgrade"
    writes: ClassVar[tuple[str, ...]] = ("database",)
    limit: ClassVar[float] = 6 * 3600.0

    database: str
    """URL of the database."""
    cwd: str
    """The folder of the newer code, which knows the way down."""
    older: str
    """The folder of the older code."""
    current: tuple[str, ...]
    """Words of the command that fails in `older` where it does not know the revision."""
    downgrade: tuple[str, ...]
    """Words that go down; `{revision}` stands for the revision to arrive at."""
    noted: str
    """The file with the newest revision of the older code, as `migrations.known` writes it."""
    revision_sql: str
    """A statement that gives the revision the database stands at."""
    revision: str = r"(?m)^(\w+)"
    """A regular expression whose first group is a revision in what is noted."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Settings for the tool; never secrets."""
    user: str = ""
    """The system user it runs as."""
    backup: str = ""
    """What the backups are called: the one before that migration, and the one an undo restores."""
    admin: str = ""
    """URL of a role that may create and rename databases, for the undo."""

    def check(self, host: Host) -> Iterable[Finding]:
        """Report a downgrade that could not be compared, where that is known already."""
        target = self._target(host)
        if target and self._is_due(host) and not self._way.earlier(host, target):
            error = self._unseen(host, target)
            yield failed(error.message, error.remedy)
        else:
            yield passed("a downgrade can be compared, as far as is known")

    def plan(self, host: Host) -> Change:
        """Say from where to where, or that it is known once the older code is there."""
        label, target = self._database.label, self._target(host)
        if not target:
            why = "whether one is needed is known once the older code is there"
            return Change(Effect.RUN, f"downgrade {label} where needed", unforeseen=why)
        stands = revision_in(host, self._database, self.revision_sql)
        facts = {f"revision of {label}": stands}
        if not self._pending(host) and (stands == target or not self._is_due(host)):
            return Change(Effect.NONE, f"{label} stands at {stands}, which it knows", facts=facts)
        return Change(
            Effect.RUN,
            f"downgrade {label} from {stands} to {target} with the newer code, compare its content",
            commands=(str(self._command(target)),),
            before={
                "revision": stands,
                "target": target,
                "schema": schema_digest(host, self._database),
                "snapshot": snapshot_now(host, self._database),
            },
            facts=facts,
            alters=tuple(facts),
        )

    def apply(self, host: Host, change: Change) -> None:
        """Note what is there, go down once, compare."""
        noted = self._pending(host) or self._note(host, change.before)
        self._way.begin(host, noted["before"])
        target = noted["before"]["target"]
        if revision_in(host, self._database, self.revision_sql) != target:
            done = host.once(self._command(target), label="downgrade")
            if not done.ok:
                raise self._failure(host, done)
        wrong = self._wrong(host, noted)
        if wrong:
            raise ActionFailed(
                f"{host.name}: {self._database.label}: the downgrade cannot be trusted: {wrong}",
                "Go back: changeover undo; then choose a restore instead of the downgrade",
            )
        host.remove(self._path(host))

    def verify(self, host: Host, change: Change) -> None:
        """See that it stands where it should, proven."""
        stands = revision_in(host, self._database, self.revision_sql)
        target = change.before.get("target", stands)
        if stands != target or self._pending(host):
            raise ActionFailed(
                f"{host.name}: {self._database.label}: stands at {stands}, not proven at {target}",
                "Go back: changeover undo",
            )

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Restore the backup made just before, unless nothing was touched."""
        if not change.before:
            return Change(Effect.NONE, "nothing was downgraded")
        return self._way.plan(host, change.before)

    def undo(self, host: Host, change: Change) -> None:
        """Restore the backup."""
        if self.plan_undo(host, change).needed:
            self._way.go(host, change.before)
        host.remove(self._path(host))

    def _is_due(self, host: Host) -> bool:
        """Say whether the older code does not know the revision the database stands at."""
        # While planning, a link such as `next` still leads to another release on the real host.
        older = real_path(host, self.older)
        return not host.ask(Command(self.current, cwd=older, env=self.env, user=self.user)).ok

    def _target(self, host: Host) -> str:
        return shortened((host.read(self.noted) or b"").decode(), self.revision)

    def _note(self, host: Host, before: Mapping[str, Any]) -> dict[str, Any]:
        """Write down all that the comparison needs: a second attempt must not note it again."""
        mark = self._seen(host, before["target"])
        found = written_since(host, self._database, mark.done) if mark.done else []
        noted = {
            "before": dict(before),
            "mark": dict(mark.before),
            "counts": self._rows(host),
            "written": [one.table for one in found],
        }
        host.make_folder(folder_of(host, self.backup or self._database.name), mode=0o700)
        host.write(self._path(host), json.dumps(noted).encode(), mode=0o600)
        return noted

    def _wrong(self, host: Host, noted: Mapping[str, Any]) -> str:
        """Say what is not as it was before the migration; empty where content agrees."""
        mark = self._seen(host, noted["before"]["target"])
        if mark.before["schema"] != schema_digest(host, self._database):
            return "the schema is not what it was before the migration"
        was, now = self._way.rows_before(host, mark.before), self._rows(host)
        written = {*noted["written"], *mark.missed_tables}
        lost = [
            table for table, (count, _) in now.items()
            if table in written and count != noted["counts"].get(table, [count])[0]
        ]  # fmt: skip
        other = [t for t, line in now.items() if t not in written and was.get(t) != line]
        parts = [f"other rows than backup {mark.backup} in {', '.join(other)}"] if other else []
        parts += [f"another number of rows in {', '.join(lost)}"] if lost else []
        return "; ".join(parts)

    def _rows(self, host: Host) -> dict[str, list[Any]]:
        found = asked(host, self._database, pg_dump.rows(), "compare the content")
        return {line[0]: line[1:] for line in found}

    def _seen(self, host: Host, target: str) -> Mark:
        mark = self._way.earlier(host, target)
        if not mark:
            raise self._unseen(host, target)
        return mark

    def _unseen(self, host: Host, target: str) -> ActionFailed:
        return ActionFailed(
            f"{host.name}: {self._database.label}: no migration away from {target} was seen here:"
            " nothing to compare a downgrade with",
            "Restore a backup of that time instead.",
        )

    def _failure(self, host: Host, done: Completed) -> ActionFailed:
        last = (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]
        stands = revision_in(host, self._database, self.revision_sql)
        return ActionFailed(
            f"{host.name}: {self._database.label}: downgrade exited {done.code}, it stands at"
            f" {stands or 'nothing'}: {last}",
            "Go back: changeover undo; then choose a restore instead of the downgrade",
        )

    def _pending(self, host: Host) -> dict[str, Any]:
        """Return what a downgrade noted that has begun and is not proven."""
        return dict(json.loads(host.read(self._path(host)) or b"{}"))

    def _path(self, host: Host) -> str:
        name = re.sub(r"\W", "_", self._database.name)
        return f"{folder_of(host, self.backup or self._database.name)}/{name}.unproven"

    def _command(self, target: str) -> Command:
        words = tuple(word.replace(PLACE, target) for word in self.downgrade)
        return Command(words, cwd=self.cwd, env=self.env, user=self.user)
