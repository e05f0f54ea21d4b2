"""Editing, cutting or re-chaining the journal is found."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from changeover.engine.audit import verify
from changeover.engine.journal import chain, encode
from changeover.engine.store import Store
from changeover.errors import Tampered
from changeover.model.codec import from_json, to_json
from changeover.model.events import Event
from changeover.model.findings import Severity
from tests.engine.world import World, write


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.release("1.0", [write("app.conf")])
    world.apply()
    return world


def audited(world: World) -> list[Severity]:
    session = world.session()
    try:
        return [finding.severity for finding in verify(session)]
    finally:
        session.close()


def tamper(world: World, *statements: str) -> None:
    with sqlite3.connect(world.instance / ".changeover/journal.db") as db:
        for statement in statements:
            db.execute(statement)
    db.close()


def test_an_untouched_journal_proves_itself_against_its_copies(world: World) -> None:
    assert set(audited(world)) == {Severity.PASS}


@pytest.mark.parametrize(
    "statement",
    [
        "update entry set line = replace(line, 'tester', 'nobody') where seq = 2",
        "delete from entry where seq = 3",
        "delete from entry where seq > 5",
        "update entry set seq = -seq where seq in (3, 4)",
    ],
    ids=["edited", "cut out", "truncated", "re-ordered"],
)
def test_tampering_is_found(world: World, statement: str) -> None:
    tamper(world, statement)

    with pytest.raises(Tampered):
        audited(world)


def test_a_store_that_was_chained_anew_is_found_by_the_copies(world: World) -> None:
    rechain(world, lambda line: line.replace("tester", "nobody"))

    with pytest.raises(Tampered, match="is another one on"):
        audited(world)


def rechain(world: World, edit: Callable[[str], str]) -> None:
    """Forge the whole store so that its chain holds again."""
    store = Store(world.instance / ".changeover")
    entries, previous, lines = list(store.entries()), "0" * 64, []
    for entry in entries:
        kind: type[Event] = type(entry.event)
        event = from_json(kind, json.loads(edit(json.dumps(to_json(entry.event)))))
        forged = chain(entry.seq, entry.run, entry.at, event, previous)
        previous = forged.hash
        lines.append((encode(forged), entry.seq))
    store.close()
    with sqlite3.connect(world.instance / ".changeover/journal.db") as db:
        db.executemany("update entry set line = ? where seq = ?", lines)
    db.close()
