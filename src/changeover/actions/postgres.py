"""What the actions on PostgreSQL share: asking a database, and saying why it did not answer."""

from __future__ import annotations

import re
from typing import Any

from changeover.errors import ActionFailed, InDoubt, InvalidInput, InvalidRelease
from changeover.hosts.command import Command, Completed
from changeover.hosts.host import Host
from changeover.tools.psql import Database, parse_lines, parse_trouble, parse_url, query

NOT_INSTALLED = 127

REMEDIES = {
    "28": "Check the user and the password in the instance's `databases` and secrets.",
    "3D000": "Check the database's name in its URL, or create it.",
    "42501": "Grant the role the right, or name one that has it in the database's URL.",
    "53100": "Make room on the database's disk, then: changeover resume",
    "53300": "Wait for connections to end, or raise max_connections.",
    "55006": "A superuser's session holds it: end it (pg_stat_activity), then: changeover resume",
    "55P03": "Something else holds a lock: see pg_stat_activity, then: changeover resume",
    "57014": "Raise the step's time limit, or make the statement faster.",
}
"""SQLSTATE, or its class -> what helps."""

UNREACHED = (
    "See that the server runs and that this host may reach it. After a connection was lost:"
    " changeover resume goes on where the database stands."
)

REFUSED = "The server refuses: compare user, password and database in the URL with what it has."

_FATAL = re.compile(r"\bFATAL ?: ")
"""A server that was reached says this in most languages; a network never does."""


def database_at(url: str) -> Database:
    """Read a database URL that a release handed to an action."""
    try:
        return parse_url(url)
    except InvalidInput as error:
        raise InvalidRelease(error.message, error.remedy) from None


def presence(database: Database) -> str:
    """Return the fact that says whether a database is there."""
    return f"database {database.label}"


def failure(host: Host, database: Database, done: Completed, doing: str) -> ActionFailed:
    """Say why a command on a database failed, with what helps."""
    where = f"{host.name}: {database.label}: {doing}"
    if done.code == NOT_INSTALLED:
        why, remedy = "psql, pg_dump or pg_restore is missing", "Install postgresql-client there."
    else:
        trouble = parse_trouble(done.stderr or done.stdout)
        why = str(trouble)
        known = REMEDIES.get(trouble.code) or REMEDIES.get(trouble.code[:2])
        reached = REFUSED if _FATAL.search(why) else UNREACHED
        remedy = known or ("" if trouble.code else reached)
    return ActionFailed(f"{where}: {why}", remedy)


def must(host: Host, database: Database, done: Completed, doing: str) -> str:
    """Return the output of a command on a database that must succeed."""
    if not done.ok:
        raise failure(host, database, done, doing)
    return done.stdout


def asked(host: Host, database: Database, sql: str, doing: str) -> list[Any]:
    """Run SQL that prints one JSON value a line and return the values."""
    return parse_lines(must(host, database, host.ask(query(database, sql, doing)), doing))


def once(host: Host, database: Database, command: Command, label: str, doing: str) -> Completed:
    """Run a command once for this attempt; one that was cut off is a failure, not a doubt.

    Only for commands that judge by the database itself what is left to do.
    """
    try:
        return host.once(command, label=label)
    except InDoubt:
        raise ActionFailed(
            f"{host.name}: {database.label}: {doing}: was cut off on the host before it ended",
            "It is safe to repeat: changeover resume",
        ) from None


def size(number: float) -> str:
    """Return bytes as people read them: `1.5 GB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return (
                f"{number:.0f} {unit}"
                if number >= 10 or unit == "bytes"
                else f"{number:.1f} {unit}"
            )
        number /= 1000
    return f"{number:.1f} TB"
