"""What was written into a database since a moment, told from the rows themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from changeover.actions.postgres import asked
from changeover.hosts.host import Host
from changeover.tools.psql import Database, literal, script

LARGEST_COUNTED = 2**30
"""Bytes of the largest table that is counted while the service is down."""


@dataclass(frozen=True)
class Moment:
    """A moment in the life of a database."""

    snapshot: str
    at: str
    counts: Mapping[str, int] = field(default_factory=dict)
    """Table -> rows; tables too large to count in a downtime are left out."""


@dataclass(frozen=True)
class Written:
    """What happened to one table since a moment."""

    table: str
    rows: int
    """Rows that were inserted or changed and are still there."""
    lost: int | None
    """Rows of that moment that were changed or deleted; none where it was not counted."""
    keys: tuple[str, ...] = ()
    """Some primary keys of the rows written."""

    @property
    def dropped(self) -> int:
        """How many rows a restore would lose."""
        return self.rows + (self.lost or 0)

    def __str__(self) -> str:
        named = f" ({', '.join(self.keys)}{', ...' * (self.rows > len(self.keys))})"
        parts = [f"{self.rows} written{named if self.keys else ''}"] if self.rows else []
        if self.lost:
            parts.append(f"{self.lost} {'changed or deleted' if self.rows else 'deleted'}")
        return f"{self.table}: {', '.join(parts)}"


def moment(host: Host, database: Database, *, most: int = LARGEST_COUNTED) -> Moment:
    """Note the present moment: its snapshot, and how many rows each table has."""
    (_, snapshot, at), *lines = _tables(host, database, "", most)
    return Moment(snapshot, at, {line[0]: line[1] for line in lines if line[1] is not None})


def snapshot_now(host: Host, database: Database) -> str:
    """Return the present snapshot alone, which costs nothing."""
    sql = "SELECT to_json(txid_current_snapshot()::text);\n"
    (found,) = asked(host, database, sql, "read the transaction counter")
    return str(found)


def written_since(host: Host, database: Database, then: Moment) -> list[Written]:
    """Name every table that was written since a moment; empty where none was.

    Rows inserted or changed are exact. A row that was deleted leaves no trace of its own: it is
    told from the number of rows at the moment, or not at all where the table was not counted.
    """
    _, *lines = _tables(host, database, then.snapshot, 2**62)
    found = (_judged(line, then.counts) for line in lines)
    return [table for table in found if table.rows or table.lost]


def _judged(line: list[Any], counts: Mapping[str, int]) -> Written:
    name, now, rows, keys = line
    lost = counts[name] + rows - now if name in counts else None
    return Written(name, rows, lost, tuple(k for k in keys or () if k is not None))


def _tables(host: Host, database: Database, since: str, most: int) -> list[Any]:
    said = f"\\set since {literal(since)}\n\\set most {most}\n"
    return asked(host, database, said + script("since.sql"), "look what was written")


def sentences(found: list[Written]) -> Iterator[str]:
    """Yield one phrase a table, the tables with most rows first."""
    for table in sorted(found, key=lambda t: -(t.rows + (t.lost or 0))):
        yield str(table)
