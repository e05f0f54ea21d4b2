"""SQL migrations as one `psql` session: a lock, a ledger, and every script exactly once.

A script that runs in a transaction is one statement of its own: a `DO` block that looks into the
ledger, executes the script and writes the ledger. Its commit is the statement's, so a connection
lost at any point leaves both or neither; nothing that the script says can commit half of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from changeover.hosts.command import Command, shell
from changeover.tools.psql import Database, filled, identifier, literal, session
from changeover.tools.sql import statements

CHANGED, CUT = "CO001", "CO002"
"""SQLSTATEs of our own: a script is not what was applied; one was cut half-way before."""

DIRECTIVE = re.compile(r"^-- *changeover: *no-transaction\s*$", re.M)


@dataclass(frozen=True)
class Script:
    """One migration."""

    name: str
    """Its name in the ledger, such as `0007_add_index.sql`."""
    content: str
    """SQL for the server: no commands of psql, no COPY FROM STDIN."""
    transaction: bool = True
    """False runs its statements one by one, for CREATE INDEX CONCURRENTLY and the like; a line
    `-- changeover: no-transaction` in the script says the same."""
    again: bool = False
    """Whether one that is not in a transaction may simply run again after it was cut half-way."""

    @property
    def digest(self) -> str:
        """Return the sha256 the ledger keeps."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    @property
    def whole(self) -> bool:
        """Whether it takes effect as a whole or not at all."""
        return self.transaction and not DIRECTIVE.search(self.content)


@dataclass(frozen=True)
class Terms:
    """Under which conditions scripts run."""

    ledger: str
    """The table, such as `public.changeover_migrations`."""
    by: str
    """Who applies them, for the ledger."""
    lock_wait: float
    """Seconds to wait while another run migrates the same database."""
    lock_timeout: float
    """Seconds a statement may wait for a lock; 0 for ever."""
    statement_timeout: float
    """Seconds a script (a statement, outside a transaction) may take; 0 for ever."""

    @property
    def table(self) -> str:
        """Return the ledger's name, quoted for SQL."""
        return ".".join(identifier(part) for part in self.ledger.split("."))


@dataclass(frozen=True)
class Applied:
    """A line of the ledger."""

    name: str
    digest: str
    finished: bool


def read_ledger(terms: Terms) -> str:
    """Return SQL that prints the ledger, a line a script; nothing where there is no ledger."""
    return filled("ledger_read.sql", table=terms.table, regclass=literal(terms.table))


def migrate(database: Database, scripts: Iterable[Script], terms: Terms) -> Command:
    """Build the command that applies what the ledger does not have yet, in this order.

    Prints `begin N` before script N, counted from 0.
    """
    parts = [_opening(terms), *(_part(n, s, terms) for n, s in enumerate(scripts))]
    stdin = "".join(parts)
    return session(
        "migrate", 'exec_psql "$1"\n', database.conninfo, reached=[database], stdin=stdin
    )


def parse_begun(output: str) -> int | None:
    """Return which script was begun last; none if none was."""
    found = re.findall(r"^begin (\d+)$", output, re.M)
    return int(found[-1]) if found else None


def _opening(terms: Terms) -> str:
    wait, ledger = f"{terms.lock_wait:.3f}", literal(terms.ledger)
    return filled("ledger_open.sql", table=terms.table, ledger=ledger, lock_wait=wait)


def _settings(terms: Terms) -> str:
    """Return what every script starts with, whatever the one before has set."""
    said = [
        "RESET ROLE", "RESET ALL", "SET client_min_messages = warning",
        "SET standard_conforming_strings = on",
        f"SET lock_timeout = {round(terms.lock_timeout * 1000)}",
        f"SET statement_timeout = {round(terms.statement_timeout * 1000)}",
        "SET idle_in_transaction_session_timeout = 0", ":watch",
    ]  # fmt: skip
    return "\\; ".join(said)


def _part(number: int, script: Script, terms: Terms) -> str:
    # Sent together with the script itself: one round trip for each.
    if script.whole:
        return f"\\echo begin {number}\n{_settings(terms)}\\; {_whole(script, terms)}"
    return f"\\echo begin {number}\n{_settings(terms)};\n{_piecemeal(script, terms)}"


def _whole(script: Script, terms: Terms) -> str:
    content = _dollared(script.content)
    inner = filled("ledger_whole.sql", content=content, **_line(script, terms))
    return f"DO {_dollared(inner)};\n"


def _piecemeal(script: Script, terms: Terms) -> str:
    pieces = "".join(f"SELECT {_dollared(s)} \\gexec\n" for s in statements(script.content))
    again = "true" if script.again else "false"
    return filled("ledger_pieces.sql", pieces=pieces, again=again, **_line(script, terms))


def _line(script: Script, terms: Terms) -> dict[str, str]:
    name, digest, by = map(literal, (script.name, script.digest, terms.by))
    return {"table": terms.table, "name": name, "digest": digest, "by": by}


def _dollared(text: str) -> str:
    """Quote a text of any content: psql and server take what is between the tags as it is."""
    n = 0
    while f"$m{n}$" in text or f"$m{n}" in text:
        n += 1
    return f"$m{n}${text}$m{n}$"


def scripts_in(folder: str) -> Command:
    """Build the command that prints the `*.sql` files of a folder: a name, then base64."""
    return shell(
        'cd "$1"; for f in *.sql; do [ -e "$f" ] || continue; printf "%s\\n" "$f";'
        ' base64 -w 0 <"$f"; printf "\\n"; done',
        folder,
    )


def parse_scripts(output: str) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of every script of a folder, in the order of their names."""
    from base64 import b64decode  # noqa: PLC0415 - only for scripts that lie on the host

    lines = output.splitlines()
    for name, coded in sorted(zip(lines[::2], lines[1::2], strict=True)):
        yield name, b64decode(coded)
