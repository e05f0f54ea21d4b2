"""Backups by `pg_dump` that carry their proof, and their return by `pg_restore`.

A backup is a family of files in one folder: `ID.dump`, `ID.rows` (a line a table: name, count, sum
over the rows), `ID.schema` (a line an object), `ID.sequences`, `ID.database` (statements that make
such a database), and `ID.json`, written last, without which it does not count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from changeover.hosts.command import Command, shell
from changeover.tools.psql import Database, parse_lines, script, session, steady

DIFFERENT = 13
"""Exit code of a restore whose result is not what the backup says; psql itself uses up to 3."""

Format = Literal["custom", "directory"]


@dataclass(frozen=True)
class Dumped:
    """A dump that was made, with what was seen through its snapshot."""

    id: str
    digest: str
    kib: int
    version: int
    """Of the server, such as 150018."""
    snapshot: str
    """The transactions it saw, as PostgreSQL writes them: `xmin:xmax:in progress`."""
    database_bytes: int
    made_at: str


def dump(database: Database, folder: str, form: Format = "custom", jobs: int = 1) -> Command:
    """Build the command that dumps a database and describes it through the same snapshot."""
    words = (database.conninfo, folder, form[0], str(jobs))
    sql = re.sub(r"^\\i_(\w+)$", _included, script("dump.sql"), flags=re.M)
    stdin = steady() + sql
    return session("pg_dump", script("dump.sh"), *words, reached=[database], stdin=stdin)


def _included(line: re.Match[str]) -> str:
    return script("create.sql") + script("database.sql") if line[1] == "database" else script(
        f"{line[1]}.sql"
    )  # fmt: skip


def parse_dump(output: str) -> Dumped:
    """Read what `dump` printed."""
    found = {line[0]: line[1:] for line in parse_lines(output)}
    version, snapshot, size, made_at = found["server"]
    name, digest, kib = found["backup"]
    return Dumped(name, digest, kib, version, snapshot, size, made_at)


@dataclass(frozen=True)
class Beside:
    """Where a backup is restored beside the live database, and by whom."""

    server: Database
    """Any other database of the server, with a role that may create databases."""
    folder: str
    backup: str
    live: str
    jobs: int = 1
    keep: bool = False
    """Whether the replaced database stays, under its name with `_changeover_old`."""

    def name(self, word: str) -> str:
        """Return a database name derived from the live one, within PostgreSQL's 63 bytes."""
        return self.live.encode()[:44].decode(errors="ignore") + f"_changeover_{word}"


def verify_beside(plan: Beside) -> Command:
    """Build the command that restores into a scratch database, compares, and drops it."""
    return _beside(plan, "verify", "scratch", "")


def swap_beside(plan: Beside, proof: str) -> Command:
    """Build the command that restores beside, compares, and lets the result take the place.

    Called again after a kill it does what is missing; `proof` is the file it leaves.
    """
    return _beside(plan, "swap", "new", proof)


def _beside(plan: Beside, mode: str, word: str, proof: str) -> Command:
    new = plan.name(word)
    reached = plan.server.beside(new)
    words = (
        plan.server.conninfo, reached.conninfo, plan.folder, plan.backup, plan.live, new,
        mode, str(plan.jobs), plan.name("old"), proof, "keep" if plan.keep else "",
    )  # fmt: skip
    title = "restore beside" if mode == "swap" else "verify in a scratch database"
    body = _comparing() + script("beside.sh")
    return session(title, body, *words, reached=[plan.server, reached])


def restore_in_place(database: Database, folder: str, backup: str, proof: str) -> Command:
    """Build the command that replaces the content of a database in one compared transaction."""
    body = (
        _comparing()
        + _printer("guard", script("guard.sql"))
        + _printer("clear", script("clear.sql"))
        + script("inplace.sh")
    )
    words = (database.conninfo, folder, backup, database.name, proof)
    return session("restore in place", body, *words, reached=[database])


def _comparing() -> str:
    printers = [_printer(word, script(f"{word}.sql")) for word in ("rows", "schema", "sequences")]
    compare = _printer("compare", script("compare.sh"))
    eager = 'COMPARE=$(compare_sql)\neval "$COMPARE"\n'
    return "".join([*printers, _printer("steady", steady()), compare, eager])


def _printer(word: str, text: str) -> str:
    """Return a shell function that prints a text, as a here-document nothing expands."""
    return f"{word}_sql() {{ cat <<'END_OF_{word.upper()}'\n{text}END_OF_{word.upper()}\n}}\n"


def read_archive(folder: str, backup: str) -> Command:
    """Build the command that reads a dump to its end, which finds torn and truncated ones."""
    body = 'cd "$1" && exec pg_restore -f /dev/null "$2.dump"\n'
    return session("read to the end", body, folder, backup, reached=[])


def digest_of(folder: str, backup: str) -> Command:
    """Build the command that hashes a dump as `dump` did."""
    return shell(
        'cd "$1"; if [ -d "$2.dump" ]; then cd "$2.dump" && find . -type f -exec sha256sum {} +'
        ' | sort -k 2 | sha256sum; else sha256sum "$2.dump"; fi',
        folder,
        backup,
    )


def manifests(folder: str) -> Command:
    """Build the command that prints the manifests of a folder, one a line, oldest first."""
    return shell('cd "$1" 2>/dev/null || exit 0; cat ./*.json 2>/dev/null || :', folder)


def marks(folder: str) -> Command:
    """Build the command that prints what migrations left in a folder, one a line, oldest first."""
    script = 'cd "$1" 2>/dev/null || exit 0; for f in $(ls -tr -- *.mark 2>/dev/null); do'
    return shell(f'{script} cat "./$f"; echo; done', folder)


def parse_differences(output: str) -> list[str]:
    """Name what a comparison found, such as `rows of public.orders`."""
    names: dict[str, None] = {}
    for word, entry in parse_lines(output):
        named = f"{entry[0]} {entry[1]}" if word == "schema" else f"{word} of {entry[0]}"
        names[named] = None
    return list(names)


def versions() -> Command:
    """Ask for the versions of the client programs."""
    ask = "psql --version && pg_dump --version && pg_restore --version\n"
    return session("versions", ask, reached=[])


def parse_versions(output: str) -> int:
    """Return the major version of the client programs (the oldest of them)."""
    return min(int(m) for m in re.findall(r"\(PostgreSQL\) (\d+)", output))


def probe() -> str:
    """Return the SQL that asks what is known about a server, a database and a role."""
    return script("probe.sql")


def parse_probe(output: str) -> Mapping[str, Any]:
    """Read the answer of `probe`."""
    answer: Mapping[str, Any] = next(iter(parse_lines(output)))
    return answer


def schema() -> str:
    """Return the SQL that prints a line for every object of a database."""
    return script("schema.sql")


def rows() -> str:
    """Return the SQL that prints name, count and sum of every table."""
    return script("rows.sql")


def room_for(folder: str) -> Command:
    """Ask, in the words of `coreutils.room`, about a folder that may not be there yet."""
    return shell(
        'd=$1; while [ ! -e "$d" ]; do d=$(dirname "$d"); done;'
        ' if [ -w "$d" ]; then echo yes; else echo no; fi; df -Pk -- "$d" | tail -n 1',
        folder,
    )
