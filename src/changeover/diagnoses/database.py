"""A database that does not answer, refuses the login, or has no connection left."""

from __future__ import annotations

from collections.abc import Iterator

from changeover.diagnoses.anatomy import Body, Database
from changeover.diagnoses.asked import Answers, Questions, told_lines
from changeover.diagnoses.kind import Kind
from changeover.hosts.command import Command, Completed, command, shell
from changeover.model.diagnosis import Fault, Mending
from changeover.tools import psql

FULL = 0.9
"""Share of the connections in use from which it is worth a word."""
TOO_MANY, NO_DATABASE, NOT_NOW = "53300", "3D000", "57P03"
LOCAL = ("", "localhost", "127.0.0.1", "::1")

USED = """
SELECT json_build_object('used', count(*), 'most', current_setting('max_connections')::int
  - current_setting('superuser_reserved_connections')::int)
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""
HOLDERS = """
SELECT count(*) || ' ' || coalesce(state, 'without a state') || ', of role ' || usename
  || coalesce(' from ' || nullif(application_name, ''), '')
FROM pg_stat_activity WHERE backend_type = 'client backend'
GROUP BY state, usename, application_name ORDER BY count(*) DESC LIMIT 4
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

    def asks_further(self, body: Body, answers: Answers) -> Questions:
        """Ask for the server's log, or for who holds all connections."""
        found: Questions = {}
        for one in body.databases:
            code = _code(answers.of(_name(one)))
            if code is None or not is_local(one.url):
                continue
            if code == TOO_MANY:
                found["holders"] = _as_owner(HOLDERS)
            elif one.log:
                found[f"log {one.log}"] = shell(LAST_LOG, one.log)
        return found

    def faults(self, body: Body, answers: Answers) -> Iterator[Fault]:
        """What is wrong with each database; the same trouble of two logins is told once."""
        told = set()
        for one in body.databases:
            done = answers.of(_name(one))
            code = _code(done)
            place = psql.parse_url(one.url).label
            if code is not None and (place, code) not in told:
                told.add((place, code))
                yield _fault(one, code, answers)
            elif code is None:
                yield from _nearly_full(one, done)


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
    return command("psql", "-XAtq", "-d", "postgres", "-c", sql, user="postgres", cwd="/")


def _code(done: Completed) -> str | None:
    """Return the SQLSTATE that refused the login; empty if nobody answered; None if all is well."""
    return None if done.ok else psql.parse_trouble(done.stderr).code


def _fault(one: Database, code: str, answers: Answers) -> Fault:
    done, at = answers.of(_name(one)), psql.parse_url(one.url)
    said = str(psql.parse_trouble(done.stderr)) if done.stderr.strip() else "no answer in time"
    where = f"({one.key} in {one.settings})" if one.key else "(the instance's `databases`)"
    thing = _name(one)
    if code == TOO_MANY:
        holders = told_lines(answers.out("holders"), 4)
        return Fault(
            "database-full",
            thing,
            f"{at.label} takes no more connections",
            (said, *holders),
            "end what holds them idle (pg_terminate_backend), or raise max_connections",
        )
    if code.startswith("28"):
        return Fault(
            "database-login",
            thing,
            f"{at.label} refuses the login of {at.user} {where}",
            (f"{code}: {said}",),
            "correct the password there, or give the role this one: ALTER ROLE",
        )
    if code == NO_DATABASE:
        return Fault(
            "database-missing",
            thing,
            f"{at.label}: there is no such database {where}",
            (said,),
            "correct the name in the URL, or restore the database",
        )
    if not code or code == NOT_NOW:
        return _down(one, said, answers)
    return Fault(
        "database-refuses",
        thing,
        f"{at.label} refuses: {said}",
        (code,),
        "look into the server's log",
    )


def _down(one: Database, said: str, answers: Answers) -> Fault:
    at, local = psql.parse_url(one.url), is_local(one.url)
    stopped = [unit for unit, state in _servers(answers) if state != "active"] if local else []
    evidence = [said, *(f"{unit} does not run" for unit in stopped)]
    evidence += told_lines(answers.out(f"log {one.log}"), 2) if local else ()
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


def _servers(answers: Answers) -> list[tuple[str, str]]:
    """Return PostgreSQL's units with their states."""
    rows = (line.split() for line in answers.out("database units").splitlines())
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
