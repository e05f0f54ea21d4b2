"""Whether something is still in use: looked at before it is taken down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.postgres import asked, database_at
from changeover.errors import InvalidRelease
from changeover.hosts.host import Host
from changeover.model.findings import Finding, passed, warned
from changeover.model.plan import Change, Effect
from changeover.tools import access_log, cron
from changeover.tools.psql import Database, identifier


@dataclass(frozen=True)
class Traffic(Action):
    """See whether anybody uses a web server: open connections, and requests of the last days.

    Requests from the host itself do not count. Rotated logs are read as well.
    """

    name: ClassVar[str] = "nginx.traffic"
    harmless: ClassVar[bool] = True
    looks: ClassVar[bool] = True

    logs: tuple[str, ...] = ("/var/log/nginx/access.log",)
    """The access logs, in nginx's combined format."""
    ports: tuple[int, ...] = (80, 443)
    """The ports users come to."""
    days: int = 7
    """How far back to look."""

    def check(self, host: Host) -> Iterable[Finding]:
        """Warn where somebody does."""
        seen = self._seen(host)
        if seen.connections or seen.requests:
            yield warned(f"still in use: {self._said(seen)}", "Ask who it is before going on.")
        else:
            yield passed(self._said(seen))

    def plan(self, host: Host) -> Change:
        """Say what is seen."""
        return Change(Effect.NONE, self._said(self._seen(host)))

    def apply(self, host: Host, change: Change) -> None:
        """Change nothing."""

    def verify(self, host: Host, change: Change) -> None:
        """Nothing was changed."""

    def _seen(self, host: Host) -> access_log.Traffic:
        done = host.do(access_log.look(self.days, self.ports, self.logs))
        return access_log.parse_look(done)

    def _said(self, seen: access_log.Traffic) -> str:
        requests = f"no request in {self.days} days"
        if seen.requests:
            requests = (
                f"{seen.requests} requests from {seen.addresses} addresses in {self.days} days,"
                f" the last at {seen.last}"
            )
        return f"{seen.connections} open connections from elsewhere; {requests}"


@dataclass(frozen=True)
class Scheduled(Action):
    """See whether cron or a timer still runs something that mentions one of some words.

    Crontab of the user the host works as, `/etc/cron*`, and systemd's timers.
    """

    name: ClassVar[str] = "cron.mentions"
    harmless: ClassVar[bool] = True
    looks: ClassVar[bool] = True

    words: tuple[str, ...]
    """What to look for: paths, names of programs."""

    def check(self, host: Host) -> Iterable[Finding]:
        """Warn where something does."""
        found = self._found(host)
        if found:
            yield warned(f"still scheduled: {self._said(found)}", "Remove what is its own alone.")
        else:
            yield passed(self._said(found))

    def plan(self, host: Host) -> Change:
        """Say what is seen."""
        return Change(Effect.NONE, self._said(self._found(host)))

    def apply(self, host: Host, change: Change) -> None:
        """Change nothing."""

    def verify(self, host: Host, change: Change) -> None:
        """Nothing was changed."""

    def _found(self, host: Host) -> list[cron.Entry]:
        entries = cron.parse_entries(host.do(cron.entries()))
        return [e for e in entries if any(word in e.line for word in self.words if word)]

    def _said(self, found: list[cron.Entry]) -> str:
        if not found:
            return f"nothing scheduled mentions {' or '.join(self.words)}"
        return "; ".join(f"{entry.place}: {entry.line}" for entry in found)


_ACTIVITY = """
SELECT json_build_object(
  'clients', (SELECT count(*) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid()
                AND backend_type = 'client backend'),
  'written', (SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)
              FROM pg_stat_user_tables),
  'since', (SELECT to_char(coalesce(stats_reset, pg_postmaster_start_time()), 'YYYY-MM-DD HH24:MI')
            FROM pg_stat_database WHERE datname = current_database()),
  'size', pg_size_pretty(pg_database_size(current_database())));
"""


@dataclass(frozen=True)
class Activity(Action):
    """See whether anybody uses a database: connections of others, and rows written."""

    name: ClassVar[str] = "postgres.activity"
    harmless: ClassVar[bool] = True
    looks: ClassVar[bool] = True

    database: str
    """URL of the database: postgresql://user:password@host:port/name."""

    def __post_init__(self) -> None:
        database_at(self.database)

    @cached_property
    def _database(self) -> Database:
        return database_at(self.database)

    def check(self, host: Host) -> Iterable[Finding]:
        """Warn where others are connected."""
        clients, said = self._seen(host)
        if clients:
            yield warned(f"still in use: {said}", "See who it is: pg_stat_activity.")
        else:
            yield passed(said)

    def plan(self, host: Host) -> Change:
        """Say what is seen."""
        return Change(Effect.NONE, self._seen(host)[1])

    def apply(self, host: Host, change: Change) -> None:
        """Change nothing."""

    def verify(self, host: Host, change: Change) -> None:
        """Nothing was changed."""

    def _seen(self, host: Host) -> tuple[int, str]:
        (found,) = asked(host, self._database, _ACTIVITY, "look at its use")
        said = (
            f"{self._database.label}: {found['size']}, {found['clients']} connections of others, "
            f"{found['written']} rows written since {found['since']}"
        )
        return int(found["clients"]), said


@dataclass(frozen=True)
class Drop(Action):
    """Drop a database for good; who is still connected stops it.

    Done by its own role, from another database of the server. The role stays, for it may own more.
    There is no way back but a backup: have one taken, and fetched, in a step before.
    """

    name: ClassVar[str] = "postgres.drop"
    writes: ClassVar[tuple[str, ...]] = ("database",)

    database: str
    """URL of the database: postgresql://user:password@host:port/name."""
    through: str = "postgres"
    """Another database of the server, to which the role may connect."""

    def __post_init__(self) -> None:
        if database_at(self.database).name == self.through:
            raise InvalidRelease(
                f"{self.name}: {self.through} cannot drop itself", "Name another in `through`."
            )

    @cached_property
    def _database(self) -> Database:
        return database_at(self.database)

    def plan(self, host: Host) -> Change:
        """Ask whether it is there."""
        label = self._database.label
        there = self._there(host)
        facts = {f"database {label}": "there" if there else "absent"}
        if not there:
            return Change(Effect.NONE, f"{label} is gone", facts=facts)
        return Change(Effect.DELETE, f"drop {label}", facts=facts, alters=(f"database {label}",))

    def apply(self, host: Host, change: Change) -> None:
        """Drop it."""
        sql = f"DROP DATABASE IF EXISTS {identifier(self._database.name)};"
        asked(host, self._other, sql, f"drop {self._database.name}")

    def _there(self, host: Host) -> bool:
        sql = "SELECT to_json(datname) FROM pg_database;"
        return self._database.name in asked(host, self._other, sql, "look for it")

    @property
    def _other(self) -> Database:
        return self._database.beside(self.through)
