"""The way back of a migration: the backup made before it, and what restoring it would lose."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from changeover.actions.postgres import asked, must, once
from changeover.actions.postgres_kept import Backup, chosen, folder_of, latest
from changeover.actions.postgres_since import Moment, Written, moment, sentences, written_since
from changeover.errors import ActionFailed, NoWayBack
from changeover.hosts.command import shell
from changeover.hosts.host import Host
from changeover.model.plan import Change, Effect
from changeover.tools import pg_dump
from changeover.tools.psql import Database, filled, literal, parse_lines, query

NONE = "none"


@dataclass(frozen=True)
class Mark:
    """What a migration leaves on the host for its undo: `FOLDER/HASH.mark`."""

    backup: str
    missed: tuple[str, ...] = ()
    """What was written between the backup and the migration, a phrase a table."""
    missed_tables: tuple[str, ...] = ()
    backup_at: str = ""
    done: Moment | None = None
    """The end of the migration; none while it runs, or where it was killed."""
    later: tuple[str, ...] | None = None
    """What was written since, noted before a downgrade writes too; none where none was tried."""
    later_tables: tuple[str, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    """What was there before the migration: by it, a later downgrade is compared."""


@dataclass(frozen=True)
class WayBack:
    """How a database comes back from a migration."""

    database: Database
    backup: str = ""
    """The name the backup was given; `none` for no way back."""
    admin: Database | None = None
    jobs: int = 1
    keep: bool = False
    online: bool = False
    """Whether users write while the migration runs: its end then tells nothing about them."""

    @property
    def _name(self) -> str:
        return self.backup or self.database.name

    @property
    def server(self) -> Database:
        """Return another database of the server, reached by whoever may create databases."""
        return self.admin or self.database.beside("postgres")

    def mark_path(self, host: Host, before: Mapping[str, Any]) -> str:
        """Return where the mark of one first start is."""
        said = hashlib.sha256(json.dumps(dict(before), sort_keys=True).encode()).hexdigest()
        return f"{folder_of(host, self._name)}/{said[:16]}.mark"

    def begin(self, host: Host, before: Mapping[str, Any]) -> None:
        """Pin the backup an undo would restore, and note what it does not hold."""
        if self.backup == NONE or self.mark(host, before):
            return
        backup = latest(host, self._name)
        if backup.database != self.database.name:
            raise ActionFailed(
                f"{host.name}: backup {self._name!r} is of {backup.database}, not of"
                f" {self.database.name}",
                "Give the two backups different names.",
            )
        then = Moment(backup.snapshot, backup.made_at, self.counts(host, backup))
        missed = written_since(host, self.database, then)
        tables = tuple(table.table for table in missed)
        said = tuple(sentences(missed))
        self._note(host, before, Mark(backup.id, said, tables, backup.made_at, before=dict(before)))

    def finish(self, host: Host, before: Mapping[str, Any]) -> None:
        """Note the moment the migration ended: what comes later was written by users."""
        mark = self.mark(host, before)
        if mark and not mark.done:
            done = moment(host, self.database)
            if self.online:
                done = Moment(before["snapshot"], done.at)
            self._note(host, before, replace(mark, done=done))

    def mark(self, host: Host, before: Mapping[str, Any]) -> Mark | None:
        """Return what a migration left, if it began."""
        content = host.read(self.mark_path(host, before))
        if not content:
            return None
        said = json.loads(content)
        done = Moment(**said["done"]) if said["done"] else None
        lists = {k: tuple(v) for k, v in said.items() if isinstance(v, list)}
        return Mark(**{**said, **lists, "done": done})

    def earlier(self, host: Host, revision: str) -> Mark | None:
        """Return what the latest migration away from a revision left, if it was seen here."""
        found = parse_lines(host.do(pg_dump.marks(folder_of(host, self._name))))
        kept = [said["before"] for said in found if said.get("before") and said["done"]]
        known = [before for before in kept if before.get("revision") == revision]
        return self.mark(host, known[-1]) if known else None

    def _note(self, host: Host, before: Mapping[str, Any], mark: Mark) -> None:
        content = json.dumps(asdict(mark)).encode()
        host.write(self.mark_path(host, before), content, mode=0o600)

    def plan(self, host: Host, before: Mapping[str, Any]) -> Change:
        """Say what restoring would do now; call it only where something was migrated."""
        if self.backup == NONE:
            raise NoWayBack(
                f"{host.name}: {self.database.label}: was migrated without a backup",
                "Go forward: changeover resume",
            )
        mark = self.mark(host, before)
        if not mark:
            return Change(Effect.NONE, f"{self.database.label} was not touched")
        if self.restored(host, before):
            return Change(Effect.NONE, f"{self.database.label} is as backup {mark.backup} has it")
        kept = chosen(host, folder_of(host, self._name), mark.backup)
        question, losses = self._asked(host, mark)
        return Change(
            Effect.UPDATE,
            f"restore {self.database.label} from backup {kept.label}",
            commands=(f"pg_restore {kept.path}",),
            question=question,
            losses=losses,
        )

    def _asked(self, host: Host, mark: Mark) -> tuple[str, dict[str, int]]:
        try:
            found = self._since(host, mark)
        except ActionFailed as error:
            said = f"What was written since the backup cannot be told: {error}."
            return f"{said} Restore all the same?", {}
        told = tuple(sentences(found)) if mark.later is None else mark.later
        return self._question(mark, told), {one.table: one.dropped for one in found}

    def _since(self, host: Host, mark: Mark) -> list[Written]:
        """Return what was written since the migration, unless that was noted already."""
        if not mark.done or mark.later is not None:
            return []
        return written_since(host, self.database, mark.done)

    def _question(self, mark: Mark, found: tuple[str, ...]) -> str:
        missed = "; ".join(mark.missed)
        earlier = f"between the backup ({mark.backup_at}) and the migration: {missed}"
        parts = [earlier] if missed else []
        if mark.done:
            later = "; ".join(found)
            since = "since the migration began, its own rows included" if self.online else "since"
            parts += [f"{since} ({mark.done.at}): {later}"] if later else []
        if not parts:
            return ""
        return (
            f"Restoring {self.database.label} drops what was written {' and '.join(parts)}. Go on?"
        )

    def counts(self, host: Host, backup: Backup) -> dict[str, int]:
        """Return how many rows each table had when a backup was made."""
        return {name: line[0] for name, line in _lines(host, backup).items()}

    def rows_before(self, host: Host, before: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Return count and sum of every table in the pinned backup."""
        mark = self.mark(host, before)
        return _lines(host, chosen(host, folder_of(host, self._name), mark.backup)) if mark else {}

    def note_later(self, host: Host, before: Mapping[str, Any]) -> set[str]:
        """Note what users wrote, before a downgrade writes too; return the tables they may have
        changed since the backup."""
        mark = self.mark(host, before)
        if not mark:
            return set()
        if mark.later is None:
            found = written_since(host, self.database, mark.done) if mark.done else []
            tables = tuple(table.table for table in found)
            mark = replace(mark, later=tuple(sentences(found)), later_tables=tables)
            self._note(host, before, mark)
        return {*mark.later_tables, *mark.missed_tables}

    def restored(self, host: Host, before: Mapping[str, Any]) -> bool:
        """Say whether the database is the one a restore for this first start left."""
        return is_restored(host, self, self._proof(host, before))

    def _proof(self, host: Host, before: Mapping[str, Any]) -> str:
        return self.mark_path(host, before).removesuffix("mark") + "restored"

    def go(self, host: Host, before: Mapping[str, Any]) -> None:
        """Restore the pinned backup; safe to repeat."""
        mark = self.mark(host, before)
        if mark and not self.restored(host, before):
            kept = chosen(host, folder_of(host, self._name), mark.backup)
            restore(host, self, kept, self._proof(host, before))


def is_restored(host: Host, way: WayBack, proof: str) -> bool:
    """Say whether a restore that left this proof is what the database holds."""
    kind, _, number = (host.read(proof) or b"").decode().strip().partition(" ")
    if not number.isdigit():
        return False
    if kind == "txid":
        sql = f"SELECT to_json(coalesce(txid_status({number}), 'committed') = 'committed');\n"
        return asked(host, way.database, sql, _LOOK) == [True]
    # Asked elsewhere: a kill in the middle of a swap leaves the database closed to connections.
    named = literal(way.database.name)
    sql = filled("is_oid.sql", number=number, name=named)
    return asked(host, way.server, sql, _LOOK) == [True]


_LOOK = "look whether it was restored"


def restore(host: Host, way: WayBack, backup: Backup, proof: str) -> None:
    """Bring a backup back: beside and swapped where the role may, else in one transaction."""
    server = way.server
    done = host.ask(query(server, pg_dump.probe(), "look at the server"))
    if done.ok and pg_dump.parse_probe(done.stdout)["createdb"]:
        beside = pg_dump.Beside(
            server, backup.folder, backup.id, way.database.name, way.jobs, way.keep
        )
        command = pg_dump.swap_beside(beside, proof)
    else:
        command = pg_dump.restore_in_place(way.database, backup.folder, backup.id, proof)
    done = once(host, way.database, command, "restore", f"restore backup {backup.id}")
    if done.code == pg_dump.DIFFERENT and done.stdout.strip():
        found = ", ".join(pg_dump.parse_differences(done.stdout))
        raise ActionFailed(
            f"{host.name}: {way.database.label}: what backup {backup.id} gave differs from what was"
            f" backed up: {found}; the database was left as it is",
            "Look at what it names (privileges? extensions? the server's version?), then repeat.",
        )
    must(host, way.database, done, f"restore backup {backup.id}")


def _lines(host: Host, backup: Backup) -> dict[str, list[Any]]:
    said = host.do(shell('cat "$1"', f"{backup.folder}/{backup.id}.rows"))
    return {line[0]: line[1:] for line in parse_lines(said)}


def schema_digest(host: Host, database: Database, *, but: str = "") -> str:
    """Return a digest of all a database defines, rows and what begins with `but` aside."""
    found = asked(host, database, pg_dump.schema(), "read the schema")
    lines = [line for line in found if not (but and line[1].startswith(but))]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:16]
