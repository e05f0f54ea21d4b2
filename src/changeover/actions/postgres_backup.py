"""Back a PostgreSQL database up, and prove that it can come back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal

from changeover.actions.base import Action
from changeover.actions.postgres import database_at, failure, must, once, size
from changeover.actions.postgres_kept import Backup, folder_of, kept
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.command import shell
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed, warned
from changeover.model.plan import Change, Effect
from changeover.tools import pg_dump
from changeover.tools.coreutils import parse_room
from changeover.tools.psql import Database, query


@dataclass(frozen=True)
class BackUp(Action):
    """Dump a database and restore the dump into a scratch database to prove it.

    Counts and a sum over the rows of every table are taken through the snapshot the dump is made
    from; the scratch database must have the same schema, counts, sums and sequences. Where the
    role may not create databases, the dump is only read to its end, and the result says so.
    """

    name: ClassVar[str] = "postgres.backup"
    covers: ClassVar[tuple[str, ...]] = ("database",)
    limit: ClassVar[float] = 6 * 3600.0

    database: str
    """URL of the database: postgresql://user:password@host:port/name."""
    backup: str = ""
    """What steps that restore call it; empty means the database's name."""
    format: Literal["custom", "directory"] = "custom"
    """`custom` is one file; `directory` may be written by several jobs."""
    jobs: int = 1
    """How many tables are dumped (`directory` only) and restored at the same time."""
    verify_by: Literal["scratch", "archive"] = "scratch"
    """`scratch` restores and compares; `archive` only reads the dump to its end."""
    admin: str = ""
    """URL of a role that may create databases on the server, where that of `database` may not."""
    keep: int = 3
    """How many backups stay; the latest verified one always does."""

    def __post_init__(self) -> None:
        for url in (self.database, self.admin or self.database):
            database_at(url)
        if self.jobs > 1 and self.format == "custom":
            raise InvalidRelease(
                f"{self.name}: jobs: the custom format is written by one job",
                "Write `format: directory`, or leave jobs out.",
            )

    @cached_property
    def _database(self) -> Database:
        return database_at(self.database)

    @cached_property
    def _server(self) -> Database:
        if self.admin:
            return database_at(self.admin)
        return self._database.beside("postgres")

    def check(self, host: Host) -> Iterable[Finding]:
        """Report missing programs, rights and room."""
        done = host.ask(query(self._database, pg_dump.probe(), "look at the server"))
        if not done.ok:
            error = failure(host, self._database, done, "connect")
            return [failed(error.message, error.remedy)]
        known = pg_dump.parse_probe(done.stdout)
        return [*self._programs(host, known), *self._rights(host, known), self._room(host, known)]

    def _programs(self, host: Host, known: Mapping[str, Any]) -> Iterator[Finding]:
        mine = pg_dump.parse_versions(host.do(pg_dump.versions()))
        server = known["version"] // 10000
        if mine < server:
            yield failed(
                f"pg_dump {mine} cannot dump PostgreSQL {server}",
                f"Install postgresql-client-{server} on {host.name}.",
            )
        else:
            yield passed(f"pg_dump {mine} dumps PostgreSQL {server}")

    def _rights(self, host: Host, known: Mapping[str, Any]) -> Iterator[Finding]:
        if known["unreadable"]:
            yield failed(
                f"{known['unreadable']} tables of {self._database.label} may not be read",
                "Back it up with the owner of its tables, or grant SELECT on them.",
            )
        if self.verify_by == "scratch" and not self._creates(host):
            yield warned(
                f"{self._database.label}: the backup will be read to its end, not restored: no"
                " role is known that may create databases",
                "ALTER ROLE ... CREATEDB, or name such a role in `admin`.",
            )

    def _room(self, host: Host, known: Mapping[str, Any]) -> Finding:
        writable, free = parse_room(host.do(pg_dump.room_for(host.state_dir)))
        need = known["size"]
        if not writable:
            return failed(
                f"{host.name}: {host.state_dir} cannot be written", "Create it, or set state_dir."
            )
        if free * 1024 < need:
            return failed(
                f"{host.name}: {host.state_dir}: {size(free * 1024)} free, the database has"
                f" {size(need)}",
                "Make room, or set state_dir to a larger disk.",
            )
        return passed(f"{size(free * 1024)} free for a database of {size(need)}")

    def _creates(self, host: Host) -> bool:
        done = host.ask(query(self._server, pg_dump.probe(), "look at the server"))
        return done.ok and bool(pg_dump.parse_probe(done.stdout)["createdb"])

    def plan(self, host: Host) -> Change:
        """Say what is dumped and to where; a backup is always made."""
        folder = folder_of(host, self.backup or self._database.name)
        proof = "restore it into a scratch database and compare"
        said = proof if self.verify_by == "scratch" else "read it to its end"
        return Change(
            Effect.CREATE,
            f"back up {self._database.label} to {folder}, then {said}",
            commands=(f"pg_dump -d {self._database.conninfo!r} -F {self.format[0]}",),
            before={"folder": folder},
        )

    def apply(self, host: Host, change: Change) -> None:
        """Dump, note what was seen, prove it, and let go of older backups."""
        folder = change.before["folder"]
        host.make_folder(folder, mode=0o700)
        command = pg_dump.dump(self._database, folder, self.format, self.jobs)
        done = once(host, self._database, command, "dump", "back up")
        if not done.ok and not done.stderr.strip():
            raise self._wordless(host)
        dumped = pg_dump.parse_dump(must(host, self._database, done, "back up"))
        tables, rows = _counted(host, folder, dumped.id)
        made = Backup(
            dumped.id, folder, self._database.name, dumped.digest, dumped.kib, dumped.version,
            dumped.snapshot, dumped.made_at, tables, rows, host.key,
        )  # fmt: skip
        _note(host, made)
        _note(host, self._proven(host, made))
        self._let_go(host, folder)

    def _proven(self, host: Host, made: Backup) -> Backup:
        if self.verify_by == "archive" or not self._creates(host):
            command = pg_dump.read_archive(made.folder, made.id)
            doing = "read the backup to its end"
            must(host, self._database, once(host, self._database, command, "read", doing), doing)
            return replace(made, verified="archive")
        beside = pg_dump.Beside(self._server, made.folder, made.id, made.database, self.jobs)
        doing = "restore into a scratch database"
        done = once(host, self._database, pg_dump.verify_beside(beside), "verify", doing)
        if done.code == pg_dump.DIFFERENT:
            found = ", ".join(pg_dump.parse_differences(done.stdout))
            raise ActionFailed(
                f"{host.name}: {self._database.label}: the restored backup differs: {found}",
                f"Keep {made.path} away from use; look at what it names, then: changeover resume",
            )
        must(host, self._database, done, doing)
        return replace(made, verified="scratch")

    def _wordless(self, host: Host) -> ActionFailed:
        # On a full disk, what the program said about it had no place either.
        _, free = parse_room(host.do(pg_dump.room_for(host.state_dir)))
        return ActionFailed(
            f"{host.name}: {self._database.label}: back up: broke off without a word;"
            f" {host.state_dir} has {size(free * 1024)} free",
            "Make room there, then: changeover resume",
        )

    def _let_go(self, host: Host, folder: str) -> None:
        proven = [b for b in kept(host, folder) if b.verified]
        for old in proven[: -max(1, self.keep)]:
            host.do(shell('cd "$1" && rm -rf -- "$2".*', folder, old.id))

    def verify(self, host: Host, change: Change) -> None:
        """See that this attempt's backup is there and was proven."""
        mine = [b for b in kept(host, change.before["folder"]) if b.key == host.key and b.verified]
        if not mine or not host.look(mine[-1].path).there:
            raise ActionFailed(f"{host.name}: {self._database.label}: no verified backup was made")

    def plan_undo(self, host: Host, change: Change) -> Change:
        """A backup stays: it may be all that is left."""
        return Change(Effect.NONE, f"the backup stays in {change.before['folder']}")

    def undo(self, host: Host, change: Change) -> None:
        """Leave the backup where it is."""


def _counted(host: Host, folder: str, backup: str) -> tuple[int, int]:
    script = 'awk -F ", " \'{ n += $(NF - 1) } END { printf "%d %.0f", NR, n }\' "$1/$2.rows"'
    tables, rows = host.do(shell(script, folder, backup)).split()
    return int(tables), int(rows)


def _note(host: Host, made: Backup) -> None:
    content = json.dumps(asdict(made)) + "\n"
    host.write(f"{made.folder}/{made.id}.json", content.encode(), mode=0o600)
