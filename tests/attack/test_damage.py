"""A disk that turns bits over, in the journal here or on a host: said, and never acted upon."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from changeover.engine.audit import verify
from changeover.engine.takeover import fetch
from changeover.errors import ActionFailed, InvalidInput, Tampered
from changeover.model.findings import Finding
from tests.engine.world import World, effect

ALL = Counter(["one one", "one two", "two one", "two two"])


def stopped(folder: Path) -> World:
    """A run whose second step fails until `go` is there."""
    world = World(folder)
    world.release("1", [effect("one"), effect("two", f"test -e {folder}/go")])
    with pytest.raises(ActionFailed):
        world.apply()
    (folder / "go").touch()
    world.log.write_text("\n".join(line for line in world.effects() if "two " not in line) + "\n")
    return world


def change(world: World, statement: str, *values: str) -> None:
    journal = world.instance / ".changeover/journal.db"
    with closing(sqlite3.connect(journal)) as database, database:
        assert database.execute(statement, values).rowcount


def audited(world: World) -> list[Finding]:
    session = world.session()
    try:
        return list(verify(session))
    finally:
        session.close()


PLAN = "update plan set body = replace(body, ?, ?)"
ENTRY = "update entry set line = replace(line, ?, ?) where line like '%StepStarted%'"


@pytest.mark.parametrize(
    ("statement", "before", "after"),
    [
        (PLAN, "echo", "ecio"),
        (PLAN, '"id"', '"id'),
        (PLAN, '"line"', '"lime"'),
        (ENTRY, '"attempt":1', '"attempt":3'),
        (ENTRY, '"attempt":1', '"ettempt":1'),
        (ENTRY, '"run":"r1"', '"run":"r!"'),
        (ENTRY, "{", "["),
    ],
)
def test_a_bit_turned_over_in_the_journal_stops_the_run_before_it_does_anything(
    tmp_path: Path, statement: str, before: str, after: str
) -> None:
    world = stopped(tmp_path)
    done = world.effects()
    change(world, statement, before, after)

    with pytest.raises((Tampered, InvalidInput)) as refused:
        world.resume()
    with pytest.raises((Tampered, InvalidInput)):
        audited(world)

    assert world.effects() == done
    assert refused.value.remedy


def test_a_damaged_plan_is_fetched_from_the_hosts_again(tmp_path: Path) -> None:
    world = stopped(tmp_path)
    change(world, PLAN, "echo", "ecio")

    session = world.session()
    fetch(session)
    session.close()
    world.resume()

    assert Counter(world.effects()) == ALL


def test_a_file_that_is_no_database_any_more_is_said_to_be_damaged(tmp_path: Path) -> None:
    world = stopped(tmp_path)
    file = world.instance / ".changeover/journal.db"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("pragma wal_checkpoint(truncate)")
    whole = file.read_bytes()

    for content in (b"junk" * 4096, whole[:5000], whole.replace(b"CREATE TABLE", b"CREATE TABLD")):
        file.write_bytes(content)
        with pytest.raises(Tampered, match="is damaged") as refused:
            world.resume()
        assert "takeover" in refused.value.remedy


def turned(text: str, before: str, after: str) -> str:
    at = text.index(before, text.index("StepStarted"))
    return text[:at] + after + text[at + len(before) :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: turned(text, '"attempt":1', '"attempt":3'),
        lambda text: turned(text, '"hash":"', '"hash":"x'),
        lambda text: turned(text, '"seq":', '"seq":7'),
        lambda text: turned(text, '"body":{', '"body":['),
        lambda text: turned(text, '"run"', '"ruN"'),
        lambda text: turned(text, "{", "\x00"),
        lambda text: text[: len(text) // 2],
        lambda _: "",
    ],
)
def test_what_a_hosts_disk_did_to_its_copy_is_found_and_mended_by_the_next_run(
    tmp_path: Path, damage: Callable[[str], str]
) -> None:
    world = stopped(tmp_path)
    copy = tmp_path / "state-one/test/journal"
    copy.write_text(damage(copy.read_text()))

    world.resume()

    assert Counter(world.effects()) == ALL
    assert any("one remembers" in finding.message for finding in audited(world))
