"""Creating a role and a database on the server of the same host."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.foreseen import is_open, note
from changeover.actions.paths import check_program
from changeover.actions.postgres import database_at, presence
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.command import Command, command
from changeover.hosts.host import Host
from changeover.model.findings import Finding
from changeover.model.plan import Change, Effect
from changeover.tools.psql import Database, identifier, literal

LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Provide(Action):
    """Create the role and the database of a URL on the PostgreSQL server of this host.

    What is there stays as it is, password included. It is done as the server's own account; the
    role's password travels on standard input. An undo drops what was created while no table is in
    it; a database with tables stays.
    """

    name: ClassVar[str] = "postgres.database"

    database: str
    """URL of the database; its host must be this one: postgresql://user:password@localhost/name."""
    extensions: tuple[str, ...] = ()
    """Extensions to create in it, which the role may not be allowed to."""
    createdb: bool = True
    """Whether the role may create databases: backups are proven by restoring them into one."""
    account: str = "postgres"
    """The system account that may do everything."""

    def __post_init__(self) -> None:
        found = database_at(self.database)
        if found.settings.get("host", LOCAL[0]) not in LOCAL:
            raise InvalidRelease(
                f"{self.name}: {found.label}: is not on this host",
                "Name localhost in the URL, or let whoever runs that server create it.",
            )
        if not (found.user and found.password and found.name):
            raise InvalidRelease(
                f"{self.name}: the URL lacks user, password or name", "Write all three."
            )

    @cached_property
    def _database(self) -> Database:
        return database_at(self.database)

    def check(self, host: Host) -> Iterable[Finding]:
        """The server's programs must be there."""
        yield from check_program(host, "psql")

    def plan(self, host: Host) -> Change:
        """Ask which of role, database and extensions are there."""
        named, user = self._database.name, self._database.user
        try:
            missing = self._missing(host)
        except ActionFailed:
            if not is_open(host):
                raise
            what = f"create the role {user} and the database {named} where they are missing"
            return Change(Effect.CREATE, what, unforeseen="the server comes with an earlier step")
        facts = {f"missing for {named}": ", ".join(missing) or "nothing"}
        if not missing:
            return Change(Effect.NONE, f"{named} and its role are there", facts=facts)
        summary = f"create {', '.join(missing)}"
        return Change(Effect.CREATE, summary, before={"missing": missing}, facts=facts)

    def foresee(self, shadow: Host, change: Change) -> None:
        """Later steps find it there."""
        if change.needed:
            note(shadow, presence(self._database), "there")

    def apply(self, host: Host, change: Change) -> None:
        """Create what is missing, each thing by itself."""
        missing = self._missing(host)
        role, named = identifier(self._database.user), identifier(self._database.name)
        if "role" in " ".join(missing):
            may = " CREATEDB" if self.createdb else ""
            password = literal(self._database.password)
            self._do(host, f"CREATE ROLE {role} LOGIN{may} PASSWORD {password}")
        if any(what.startswith("database") for what in missing):
            self._do(
                host,
                f"CREATE DATABASE {named} OWNER {role} ENCODING 'UTF8' TEMPLATE template0"
                " LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'",
            )
        for name in self.extensions:
            self._do(
                host, f"CREATE EXTENSION IF NOT EXISTS {identifier(name)}", self._database.name
            )

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Drop what was created, unless somebody keeps tables in it."""
        created = [what for what in change.before.get("missing", []) if self._droppable(what)]
        left = [what for what in created if what not in self._missing(host)]
        if not left:
            return Change(Effect.NONE, "nothing was created")
        if self._tables(host):
            return Change(Effect.NONE, f"{self._database.name} stays: it has tables")
        return Change(Effect.DELETE, f"drop {', '.join(left)}")

    def undo(self, host: Host, change: Change) -> None:
        """Drop it."""
        if not self.plan_undo(host, change).needed:
            return
        created = change.before["missing"]
        if any(what.startswith("database") for what in created):
            self._do(host, f"DROP DATABASE IF EXISTS {identifier(self._database.name)}")
        if any(what.startswith("role") for what in created):
            self._do(host, f"DROP ROLE IF EXISTS {identifier(self._database.user)}")

    @staticmethod
    def _droppable(what: str) -> bool:
        return what.startswith(("role", "database"))

    def _missing(self, host: Host) -> list[str]:
        role, named = self._database.user, self._database.name
        roles = self._do(host, "SELECT rolname FROM pg_roles").splitlines()
        missing = [] if role in roles else [f"role {role}"]
        if named not in self._do(host, "SELECT datname FROM pg_database").splitlines():
            return [*missing, f"database {named}", *(f"extension {e}" for e in self.extensions)]
        have = self._do(host, "SELECT extname FROM pg_extension", named).split()
        return missing + [f"extension {e}" for e in self.extensions if e not in have]

    def _tables(self, host: Host) -> bool:
        if f"database {self._database.name}" in self._missing(host):
            return False
        found = "SELECT 1 FROM pg_stat_user_tables LIMIT 1"
        return bool(self._do(host, found, self._database.name))

    def _do(self, host: Host, sql: str, database: str = "postgres") -> str:
        done = host.ask(self._command(sql, database))
        if not done.ok:
            last = re.sub(r"^psql: ", "", done.stderr.strip().rpartition("\n")[2])
            raise ActionFailed(
                f"{host.name}: PostgreSQL as {self.account}: {last or f'exited {done.code}'}",
                "See that the server runs: systemctl status postgresql",
            )
        return done.stdout.strip()

    def _command(self, sql: str, database: str) -> Command:
        words = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database)
        port = ("-p", self._database.settings["port"]) if "port" in self._database.settings else ()
        asked = command(*words, *port, cwd="/", user=self.account)
        return asked.fed(f"{sql};\n".encode())
