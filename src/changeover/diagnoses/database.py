"""A database that does not answer, refuses the login, or has no connection left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from changeover.diagnoses.anatomy import Body, Database
from changeover.diagnoses.asked import TOO_SLOW, Questions, Replies, told_lines
from changeover.diagnoses.kind import Kind
from changeover.hosts.command import Command, Completed, command, shell
from changeover.model.diagnosis import Fault, Mending
from changeover.tools import psql

FULL = 0.9
"""Share of the connections in use from which it is worth a word."""
READY = 0
"""What pg_isready exits with where a server takes connections."""
LOCAL = ("", "localhost", "127.0.0.1", "::1")

USED = """
SELECT json_build_object('used', count(*), 'most', current_setting('max_connections')::int
  - current_setting('superuser_reserved_connections')::int)
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""
# A refused login has no SQLSTATE a client would show, and the server's own words come in its
# language: so its owner is asked, for whom connections are reserved.
STANDING = """
SELECT json_build_object(
  'used', (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') - 1,
  'most', current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int,
  'databases', (SELECT json_agg(datname) FROM pg_database),
  'roles', (SELECT json_object_agg(rolname, rolcanlogin) FROM pg_roles WHERE rolname !~ '^pg_'),
  'holders', (SELECT json_agg(told) FROM (
    SELECT count(*) || ' ' || coalesce(state, 'without a state') || ', of role ' || usename
      || coalesce(' from ' || nullif(application_name, ''), '') AS told
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    GROUP BY state, usename, application_name ORDER BY count(*) DESC LIMIT 4) AS h))
"""
LAST_LOG = 'for f in $1; do [ -f "$f" ] && last=$f; done; tail -n 20 -- "${last:-/dev/null}"'


class DatabaseKind(Kind):
    """Logs in as the instance does, and as the application's own settings say."""

    def asks(self, body: Body) -> Questions:
        """Ask each database how many connections it has, and systemd for the servers."""
        found: Questions = {_name(one): _question(one) for one in body.databases}
        if body.databases:
            found["database units"] = _units()
        return found

    def asks_further(self, body: Body, replies: Replies) -> Questions:
        """Where a login fails, ask whether the server is up, its owner, and its log."""
        found: Questions = {}
        for one in body.databases:
            if replies.of(_name(one)).ok:
                continue
            place = psql.parse_url(one.url).conninfo
            found[f"ready {one.name}"] = command("pg_isready", "-q", "-t", "3", "-d", place)
            if is_local(one.url):
                found["standing"] = _as_owner(STANDING)
                if one.log:
                    found[f"log {one.log}"] = shell(LAST_LOG, one.log)
        return found

    def faults(self, body: Body, replies: Replies) -> Iterator[Fault]:
        """What is wrong with each database; the same trouble of two logins is told once."""
        told = set()
        for one in body.databases:
            done = replies.of(_name(one))
            if done.ok:
                yield from _nearly_full(one, done)
            if done.ok or done.code == TOO_SLOW:
                continue
            fault = _fault(one, replies)
            place = psql.parse_url(one.url).label
            # A login of its own is told where it alone is wrong.
            if (place, fault.kind) not in told:
                yield fault
            told.add((place, fault.kind))


def is_local(url: str) -> bool:
    """Whether the server is on the host that asks."""
    host = psql.parse_url(url).settings.get("host", "")
    return host in LOCAL or host.startswith("/")


def _name(one: Database) -> str:
    return f"database {one.name}"


def _question(one: Database) -> Command:
    return psql.question(psql.parse_url(one.url), USED)


def _units() -> Command:
    words = ("list-units", "--all", "--plain", "--no-legend", "postgresql@*.service")
    return command("systemctl", *words)


def _as_owner(sql: str) -> Command:
    """Ask as the server's owner: for whom some connections are reserved."""
    joined = " ".join(sql.split())
    return command("psql", "-XAtq", "-d", "postgres", "-c", joined, user="postgres", cwd="/")


def _fault(one: Database, replies: Replies) -> Fault:
    done, at, thing = replies.of(_name(one)), psql.parse_url(one.url), _name(one)
    said = str(psql.parse_trouble(done.stderr)) if done.stderr.strip() else "no answer in time"
    if replies.of(f"ready {one.name}").code != READY:
        return _down(one, said, replies)
    if not is_local(one.url):
        return _login(one, said, {})
    if not replies.of("standing").ok:
        # Not even its owner gets in: it is no matter of names and passwords.
        refuses = f"{at.label} refuses connections"
        return Fault("database-refuses", thing, refuses, (said,), _LOOK, after=("disk *",))
    standing = _standing(replies)
    if standing["used"] >= standing["most"]:
        full = f"{at.label} takes no more connections: {standing['used']} of {standing['most']}"
        remedy = "end what holds them idle (pg_terminate_backend), or raise max_connections"
        return Fault("database-full", thing, full, (said, *standing["holders"]), remedy)
    return _login(one, said, standing)


_LOOK = "look into the server's log for why"


def _login(one: Database, said: str, standing: dict[str, Any]) -> Fault:
    """Tell what is wrong with the names or the password, as far as the server lets one know."""
    at, thing = psql.parse_url(one.url), _name(one)
    where = f"({one.key} in {one.settings})" if one.key else "(the instance's `databases`)"
    if standing and at.name not in standing["databases"]:
        missing = f"{at.label}: there is no such database {where}"
        remedy = "correct the name in the URL, or restore the database"
        return Fault("database-missing", thing, missing, (said,), remedy)
    refused = f"{at.label} refuses the login of {at.user} {where}"
    remedy = "correct the password there, or give the role this one: ALTER ROLE ... PASSWORD"
    if standing and not standing["roles"].get(at.user, False):
        refused += ": no such role may log in"
        remedy = f"CREATE ROLE {at.user} LOGIN, or correct the name in the URL"
    return Fault("database-login", thing, refused, (said,), remedy)


def _standing(replies: Replies) -> dict[str, Any]:
    done = replies.of("standing")
    found = psql.parse_lines(done.stdout) if done.ok else []
    return dict(found[0]) if found else {}


def _down(one: Database, said: str, replies: Replies) -> Fault:
    at, local = psql.parse_url(one.url), is_local(one.url)
    stopped = [unit for unit, state in _servers(replies) if state != "active"] if local else []
    evidence = [said, *(f"{unit} does not run" for unit in stopped)]
    evidence += told_lines(replies.out(f"log {one.log}"), 2) if local else ()
    remedy = "see that the server runs and that this host may reach it"
    if stopped:
        remedy = f"systemctl start {stopped[0]}"
    start = (
        Mending(f"start {stopped[0]}", "systemd.start", {"unit": stopped[0]}) if stopped else None
    )
    return Fault(
        "database-down",
        _name(one),
        f"{at.label} does not answer",
        tuple(evidence),
        remedy,
        after=("disk *",) if local else (),
        mending=start,
    )


def _servers(replies: Replies) -> list[tuple[str, str]]:
    """Return PostgreSQL's units with their states."""
    rows = (line.split() for line in replies.out("database units").splitlines())
    return [(row[0], row[2]) for row in rows if len(row) > 3]


def _nearly_full(one: Database, done: Completed) -> Iterator[Fault]:
    told = psql.parse_lines(done.stdout)
    used, most = (told[0]["used"], told[0]["most"]) if told else (0, 1)
    if used >= most * FULL:
        yield Fault(
            "database-full",
            _name(one),
            f"{one.name}: {used} of {most} connections are in use",
            remedy="see who holds them: SELECT * FROM pg_stat_activity",
            grave=False,
        )
