"""Where a database is, and commands that reach it through `psql` and its sisters.

A command of this module is one shell script fed on standard input, in this order: the script with
its length, the lines of a password file, an empty line, and what the script itself reads. The
password file exists for a moment only: it is opened, removed, and read through `/dev/fd/9`, so
that neither words, environment nor disk ever hold a password, not even after a SIGKILL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, unquote

from changeover.errors import InvalidInput
from changeover.hosts.command import Command

SCHEME = re.compile(r"(?P<kind>postgres(?:ql)?)(?P<driver>\+[a-z0-9_]+)?://", re.I)
SETTINGS = frozenset({
    "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname",
    "fallback_application_name", "gssencmode", "host", "hostaddr", "keepalives",
    "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname",
    "load_balance_hosts", "options", "password", "port", "replication", "requirepeer",
    "require_auth", "service", "sslcert", "sslcertmode", "sslcompression", "sslcrl", "sslcrldir",
    "sslkey", "sslmode", "sslnegotiation", "sslrootcert", "sslsni", "ssl_max_protocol_version",
    "ssl_min_protocol_version", "target_session_attrs", "tcp_user_timeout", "user",
})  # fmt: skip
"""What libpq understands in a URL; `passfile` and `sslpassword` are not ours to show."""
LOADER = 'read -r n && eval "$(head -c "$n")"'
"""Runs the script that comes first on standard input, leaving the rest of it to that script."""


@dataclass(frozen=True)
class Database:
    """One database as a URL names it."""

    name: str
    user: str = ""
    password: str = field(default="", repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)
    """The other settings of libpq: host, port, sslmode, ..."""

    @property
    def label(self) -> str:
        """Return what people call it: `shop on 127.0.0.1:5432`."""
        host, port = self.settings.get("host", "local socket"), self.settings.get("port", "")
        return f"{self.name} on {host}" + (f":{port}" if port else "")

    @property
    def conninfo(self) -> str:
        """Return the connection string of libpq, without the password."""
        pairs = {**self.settings, "user": self.user, "dbname": self.name}
        return " ".join(f"{k}={_conninfo_value(v)}" for k, v in pairs.items() if v)

    @property
    def pass_line(self) -> str:
        """Return this role's line of a password file; empty where there is no password."""
        if not self.password:
            return ""
        return f"*:*:*:{_pass_value(self.user) or '*'}:{_pass_value(self.password)}"

    def beside(self, name: str) -> Database:
        """Return another database of the same server, reached the same way."""
        return replace(self, name=name)


def parse_url(url: str) -> Database:
    """Read a database URL; raise `InvalidInput`, which never shows the URL itself."""
    found = SCHEME.match(url)
    if not found:
        raise _bad_url(
            "it does not start with postgresql://",
            "Write postgresql://user:password@host:port/database, the password URL-encoded.",
        )
    rest, _, query = url[found.end() :].partition("?")
    authority, _, path = rest.partition("/")
    login, _, place = authority.rpartition("@")
    user, _, password = login.partition(":")
    settings = {**_place(place), **_query(query, bool(found["driver"]))}
    user = settings.pop("user", unquote(user))
    password = settings.pop("password", unquote(password))
    name = settings.pop("dbname", unquote(path)) or user
    for value in (user, password, name, *settings.values()):
        if re.search(r"[\0\r\n]", value):
            raise _bad_url("a value holds a line break or a zero byte", "Take it out.")
    if not name:
        raise _bad_url("it names no database", "End it with /database.")
    return Database(name, user, password, settings)


def _place(place: str) -> dict[str, str]:
    hosts, ports = [], []
    for one in place.split(","):
        found = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::(\d*))?", one)
        if not found:
            raise _bad_url(
                "the place after the last @ is not host:port",
                "URL-encode the password (/ as %2F, @ as %40): changeover secrets url-quote",
            )
        hosts.append(unquote(found[1]).strip("[]"))
        ports.append(found[2] or "")
    pairs = {"host": ",".join(hosts), "port": ",".join(ports) if any(ports) else ""}
    return {k: v for k, v in pairs.items() if v.strip(",")}


def _query(query: str, for_driver: bool) -> dict[str, str]:
    """Keep what libpq knows; drop what only a driver of an application understands."""
    given = dict(parse_qsl(query.replace("+", "%2B"), keep_blank_values=True))
    ssl = given.pop("ssl", "")
    if ssl and "sslmode" not in given:
        given["sslmode"] = {"true": "require", "1": "require", "false": "disable"}.get(ssl, ssl)
    unknown = sorted(set(given) - SETTINGS)
    if unknown and not for_driver:
        raise _bad_url(f"it sets {unknown[0]!r}, which libpq does not know", "Leave it out.")
    return {k: v for k, v in given.items() if k in SETTINGS}


def _bad_url(what: str, remedy: str) -> InvalidInput:
    return InvalidInput(f"database URL: {what}", remedy)


def _conninfo_value(value: str) -> str:
    if re.fullmatch(r"[\w./:,@%+-]+", value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _pass_value(value: str) -> str:
    return value.replace("\\", "\\\\").replace(":", "\\:")


@cache
def script(name: str) -> str:
    """Return a shell or SQL script of this package, such as `rows.sql`."""
    return (files(__package__) / "scripts" / name).read_text("utf-8")


def filled(script_name: str, **values: str) -> str:
    """Return a script with values (SQL already quoted) in place of its `@words@`."""
    return re.sub(r"@([a-z_]+)@", lambda word: values[word[1]], script(script_name))


def session(
    title: str, body: str, *words: str, reached: Iterable[Database], stdin: str = ""
) -> Command:
    """Build a command that runs a shell script with the passwords of some databases at hand.

    `title` is `$0` and shown with the command; the words arrive as `$1`, `$2`, ...
    """
    text = (script("session.sh") + body).encode()
    lines = dict.fromkeys(line for d in reached if (line := d.pass_line))
    secret = "".join(f"{line}\n" for line in lines)
    fed = b"%d\n%s%s\n%s" % (len(text), text, secret.encode(), stdin.encode())
    return Command(("sh", "-euc", LOADER, title, *words), fed)


def query(database: Database, sql: str, title: str = "psql") -> Command:
    """Build a command that runs SQL in one session and prints bare rows."""
    return session(
        title, 'exec_psql "$1"\n', database.conninfo, reached=[database], stdin=steady() + sql
    )


def question(database: Database, sql: str) -> Command:
    """Build a command that asks as an application would, in a transaction that may only read."""
    stdin = f"SET default_transaction_read_only = on;\n{sql}\n;\n"
    return session("psql", 'exec_psql "$1"\n', database.conninfo, reached=[database], stdin=stdin)


def steady() -> str:
    """Return the SQL that makes the text of values the same in every session."""
    return script("steady.sql")


def literal(value: str) -> str:
    """Quote a value for SQL (`standard_conforming_strings` is on in every session of ours)."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def parse_lines(output: str) -> list[Any]:
    """Read output of one JSON value a line."""
    return [json.loads(line) for line in output.splitlines() if line.strip()]


@dataclass(frozen=True)
class Trouble:
    """What the server said when a statement failed."""

    code: str
    """The five characters of SQLSTATE; empty where no server was reached."""
    message: str
    line: int = 0
    """Line of the statement, counted from 1; 0 where none is known."""

    def __str__(self) -> str:
        spot = f" (line {self.line})" if self.line else ""
        return f"{self.message}{spot}"


_SAID = re.compile(r"^(?:\S+: )*[^\s:]+: +([0-9A-Z]{5}): (.*)$")
_OWN = re.compile(r"^p\w+: (?:error|fatal): (.*)$")
_SPOT = re.compile(r"^\S+ (\d+): ")


def parse_trouble(stderr: str) -> Trouble:
    """Find the error in what `psql` printed with verbosity `verbose`, in whatever language."""
    lines = stderr.strip().splitlines()
    for n, line in enumerate(lines):
        if (said := _SAID.match(line)) and said[1][:2] not in ("00", "01"):
            spots = [int(m[1]) for m in map(_SPOT.match, lines[n + 1 : n + 4]) if m]
            return Trouble(said[1], said[2], spots[0] if spots else 0)
    own = [m[1] for m in map(_OWN.match, lines) if m]
    return Trouble("", (own or lines[-1:] or ["no message"])[0])
