"""Bring a backup of a PostgreSQL database back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from changeover.actions.base import Action
from changeover.actions.postgres_kept import Backup, chosen, folder_of, latest
from changeover.actions.postgres_return import WayBack, is_restored, restore
from changeover.actions.postgres_returning import Returning
from changeover.actions.postgres_since import Moment, sentences, snapshot_now, written_since
from changeover.errors import ActionFailed, NoWayBack
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect


@dataclass(frozen=True)
class Restore(Returning, Action):
    """Put a database back to what a backup holds.

    The backup is restored beside the database, compared with what was seen when it was made, and
    takes the place in one transaction; a role without the right to create databases restores in
    one transaction in place. What was written since the backup is named and asked about first.
    There is no undo unless `undo_backup` names a backup of the present state, made under another
    name by a step before: an undo then restores that one.
    """

    name: ClassVar[str] = "postgres.restore"
    writes: ClassVar[tuple[str, ...]] = ("database",)
    limit: ClassVar[float] = 6 * 3600.0

    database: str
    """URL of the database: postgresql://user:password@host:port/name."""
    backup: str = ""
    """The name the backup was given; empty means the database's name."""
    id: str = ""
    """Which of the backups of that name; empty means the latest verified one."""
    jobs: int = 1
    """How many tables are restored at the same time."""
    admin: str = ""
    """URL of a role that may create and rename databases."""
    keep_replaced: bool = False
    """Keep the database as it was before, renamed to `<name>_changeover_old`."""
    undo_backup: str = ""
    """The name of the backup of the present state that an undo restores."""

    def __new__(cls, **params: Any) -> Restore:
        """Make one that can be undone where the release says by which backup."""
        undoable = cls is Restore and params.get("undo_backup")
        return object.__new__(ReversibleRestore if undoable else cls)

    @cached_property
    def _way(self) -> WayBack:
        return WayBack(self._database, self.backup, self._admin, self.jobs, self.keep_replaced)

    def _backup(self, host: Host) -> Backup:
        name = self.backup or self._database.name
        return chosen(host, folder_of(host, name), self.id) if self.id else latest(host, name)

    def check(self, host: Host) -> Iterable[Finding]:
        """Report a backup that is not there, or not what it was."""
        try:
            backup = self._backup(host)
            chosen(host, backup.folder, backup.id)
        except (ActionFailed, NoWayBack) as error:
            return [failed(error.message, error.remedy)]
        return [passed(f"backup {backup.label} is there")]

    def plan(self, host: Host) -> Change:
        """Say which backup comes back, and what that would lose."""
        backup = self._backup(host)
        return Change(
            Effect.UPDATE,
            f"restore {self._database.label} from backup {backup.label}",
            commands=(f"pg_restore {backup.path}",),
            before=self._before(host, backup),
            facts={f"backup of {backup.database}": backup.id},
            alters=(f"revision of {self._database.label}",),
            question=self._question(host, backup),
        )

    def _before(self, host: Host, backup: Backup) -> dict[str, Any]:
        snapshot = snapshot_now(host, self._database)
        proof = snapshot.replace(":", "-").replace(",", "-")[:64]
        return {"backup": backup.id, "proof": f"{backup.folder}/{proof}.restored"}

    def _question(self, host: Host, backup: Backup) -> str:
        then = Moment(backup.snapshot, backup.made_at, self._way.counts(host, backup))
        lost = "; ".join(sentences(written_since(host, self._database, then)))
        if not lost:
            return ""
        return (
            f"Restoring {self._database.label} drops what was written since the backup"
            f" ({backup.made_at}): {lost}. Go on?"
        )

    def apply(self, host: Host, change: Change) -> None:
        """Restore, unless an earlier attempt did."""
        backup = self._backup(host)
        kept = chosen(host, backup.folder, change.before["backup"])
        if not is_restored(host, self._way, change.before["proof"]):
            restore(host, self._way, kept, change.before["proof"])

    def verify(self, host: Host, change: Change) -> None:
        """See that the database is the restored one."""
        if not is_restored(host, self._way, change.before["proof"]):
            raise ActionFailed(
                f"{host.name}: {self._database.label}: is not what the restore left there",
                "Look who else changes databases on this server, then repeat.",
            )


@dataclass(frozen=True)
class ReversibleRestore(Restore):
    """A restore that is taken back by restoring what was there before."""

    def apply(self, host: Host, change: Change) -> None:
        """Pin the backup of the present state, and restore the other one."""
        self._back.begin(host, change.before)
        super().apply(host, change)
        self._back.finish(host, change.before)

    def verify(self, host: Host, change: Change) -> None:
        """See that the database is the restored one."""
        super().verify(host, change)
        # A run that was killed after the restore ended comes back here, past `apply`.
        self._back.finish(host, change.before)

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Restore what was there before, unless nothing was restored."""
        if not is_restored(host, self._way, change.before["proof"]):
            mark = self._back.mark(host, change.before)
            if not mark or not self._back.restored(host, change.before):
                return Change(Effect.NONE, f"{self._database.label} was not restored")
        return self._back.plan(host, change.before)

    def undo(self, host: Host, change: Change) -> None:
        """Restore what was there before."""
        if self.plan_undo(host, change).needed:
            self._back.go(host, change.before)

    @cached_property
    def _back(self) -> WayBack:
        return WayBack(self._database, self.undo_backup, self._admin, self.jobs)
