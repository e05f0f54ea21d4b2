"""Ask a PostgreSQL database: whether it is there, and what it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from changeover.actions.base import Action
from changeover.actions.foreseen import missing, noted
from changeover.actions.postgres import database_at, must, presence
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import Host
from changeover.model.findings import Finding, Severity, failed, passed, warned
from changeover.model.plan import Change, Effect
from changeover.tools import pg_dump
from changeover.tools.psql import Database, query, question


@dataclass(frozen=True)
class Query(Action):
    """Ask a database a question and expect an answer."""

    name: ClassVar[str] = "postgres.query"
    harmless: ClassVar[bool] = True

    database: str
    """URL of the database: postgresql://user:password@host:port/name."""
    sql: str
    """A statement; it runs in a transaction that may only read."""
    expect: str = ""
    """The answer as psql prints it: columns joined by `|`, rows by line ends."""
    matches: str = ""
    """Instead of `expect`: a regular expression for the whole answer."""

    def __post_init__(self) -> None:
        database_at(self.database)
        try:
            re.compile(self.matches)
        except re.error as error:
            raise InvalidRelease(f"{self.name}: matches: {error}", "Mend it.") from None

    def check(self, host: Host) -> Iterable[Finding]:
        """Ask, and report another answer."""
        try:
            self.verify(host, self.plan(host))
        except ActionFailed as error:
            return [failed(error.message, error.remedy)]
        return [passed(f"{self._asked}: as expected")]

    def plan(self, host: Host) -> Change:
        """Say what is asked; nothing changes."""
        return Change(Effect.NONE, f"ask {self._database.label}: {self._asked}")

    def apply(self, host: Host, change: Change) -> None:
        """Ask."""
        self.verify(host, change)

    def verify(self, host: Host, change: Change) -> None:
        """Ask, and raise `ActionFailed` for another answer."""
        done = host.ask(question(self._database, self._asked))
        answer = must(host, self._database, done, "ask").rstrip("\n")
        fits = re.fullmatch(self.matches, answer) if self.matches else answer == self.expect
        if not fits:
            wanted = f"/{self.matches}/" if self.matches else repr(self.expect)
            raise ActionFailed(
                f"{host.name}: {self._database.label}: {self._asked}: answered {answer[:500]!r},"
                f" expected {wanted}",
                "Look why the database holds something else.",
            )

    @cached_property
    def _database(self) -> Database:
        return database_at(self.database)

    @property
    def _asked(self) -> str:
        return self.sql.strip().rstrip(";")


@dataclass(frozen=True)
class Reachable(Action):
    """See that a database answers, and that its server and its role are what a release needs."""

    name: ClassVar[str] = "postgres.reachable"
    harmless: ClassVar[bool] = True

    database: str
    """URL of the database: postgresql://user:password@host:port/name."""
    oldest: int = 0
    """The oldest major version that will do."""
    newest: int = 0
    """The newest major version that will do; 0 is any."""
    extensions: tuple[str, ...] = ()
    """Extensions that must be there, or that the role must be able to create."""
    creates: bool = True
    """Whether the role must be able to create schemas and extensions in the database."""
    connections: int = 5
    """Connections that must be free on the server."""

    def __post_init__(self) -> None:
        database_at(self.database)

    @cached_property
    def _database(self) -> Database:
        return database_at(self.database)

    def check(self, host: Host) -> Iterable[Finding]:
        """Connect, and judge what is there."""
        if noted(host, presence(self._database)):
            return [passed(f"{self._database.label}: will be there")]
        try:
            return list(self._judged(self._known(host)))
        except ActionFailed as error:
            return [missing(host, error.message, error.remedy)]

    def _known(self, host: Host) -> Mapping[str, Any]:
        done = host.ask(query(self._database, pg_dump.probe(), "look at the server"))
        return pg_dump.parse_probe(must(host, self._database, done, "connect"))

    def _judged(self, known: Mapping[str, Any]) -> Iterator[Finding]:
        label, major = self._database.label, known["version"] // 10000
        if major < self.oldest or (self.newest and major > self.newest):
            wanted = f"{self.oldest} to {self.newest}" if self.newest else f"{self.oldest} or newer"
            yield failed(
                f"{label}: is PostgreSQL {major}, wanted {wanted}", "Upgrade the server first."
            )
        else:
            yield passed(f"{label}: PostgreSQL {major} answers")
        if known["replica"]:
            yield failed(f"{label}: is a replica, which cannot be written", "Name the primary.")
        if self.creates and not known["creates"]:
            yield failed(
                f"{label}: the role {self._database.user} may not create anything in it",
                f"GRANT CREATE ON DATABASE {self._database.name} TO {self._database.user};",
            )
        if known["free"] < self.connections:
            yield warned(
                f"{label}: {known['free']} connections are free, {self.connections} wanted",
                "Raise max_connections, or stop what holds connections.",
            )
        yield from self._extensions(known)

    def _extensions(self, known: Mapping[str, Any]) -> Iterator[Finding]:
        for name in self.extensions:
            if name in (known["extensions"] or {}):
                continue
            if name not in (known["available"] or ()):
                yield failed(
                    f"{self._database.label}: the server does not have the extension {name}",
                    "Install it on the database's machine (Debian: postgresql-contrib).",
                )
            elif name not in (known["trusted"] or ()) and not known["superuser"]:
                yield failed(
                    f"{self._database.label}: only a superuser may create the extension {name}",
                    f'Let one run: CREATE EXTENSION "{name}";',
                )

    def plan(self, host: Host) -> Change:
        """Say what is looked at; nothing changes."""
        return Change(Effect.NONE, f"see that {self._database.label} answers")

    def apply(self, host: Host, change: Change) -> None:
        """Look."""
        self.verify(host, change)

    def verify(self, host: Host, change: Change) -> None:
        """Look, and raise `ActionFailed` for the first thing that is not as wanted."""
        for finding in self._judged(self._known(host)):
            if finding.severity is Severity.FAIL:
                raise ActionFailed(f"{host.name}: {finding.message}", finding.remedy)
