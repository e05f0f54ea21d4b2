"""Accepting a run frees what undo needed; of every backup the latest proven one stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from changeover.engine.finalize import finalize
from changeover.engine.flow import Flow
from changeover.errors import (
    NotReady,
    NoWayBack,
)
from changeover.hosts.host import Host
from tests.engine.world import World, write


def backup(folder: Path, name: str, verified: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.dump").write_bytes(b"dump")
    (folder / f"{name}.rows").write_bytes(b"rows")
    (folder / f"{name}.json").write_text(json.dumps({"id": name, "verified": verified}))


def finalized(world: World) -> dict[str, list[str]]:
    session = world.session()
    try:
        return finalize(Flow(session, "r1", world.operator))
    finally:
        session.close()


def test_the_latest_proven_backups_stay_and_the_store_goes(tmp_path: Path) -> None:
    world = World(tmp_path)
    (tmp_path / "one/app.conf").write_text("old")
    world.release("1.0", [write("app.conf")])
    world.apply()
    backups = tmp_path / "state-one/test/backups/shop"
    backup(backups, "20260101T000000Z", "scratch")
    backup(backups, "20260102T000000Z", "scratch")
    backup(backups, "20260103T000000Z", "archive")
    backup(backups, "20260104T000000Z", "")

    kept = finalized(world)

    assert kept == {"one": ["shop/20260102T000000Z", "shop/20260103T000000Z"], "two": []}
    stems = {file.name.split(".")[0] for file in backups.iterdir()}
    assert stems == {"20260102T000000Z", "20260103T000000Z"}
    assert (backups / "20260102T000000Z.rows").exists()
    assert not (tmp_path / "state-one/test/store").exists()
    assert not list((tmp_path / "state-one/test").glob("once/*"))


def test_a_backup_that_was_never_proven_is_not_thrown_away(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.release("1.0", [write("app.conf")])
    world.apply()
    backups = tmp_path / "state-two/test/backups/shop"
    backup(backups, "20260101T000000Z", "")

    finalized(world)

    assert (backups / "20260101T000000Z.dump").exists()


def test_accepting_an_older_run_does_not_take_the_way_back_of_a_newer_one(world: World) -> None:
    world.release("1.0", [write("app.conf")])
    world.apply()
    world.release("1.1", [write("app.conf")])
    world.apply(run="r2")
    session = world.session()

    with pytest.raises(NotReady, match="run r2 came after r1"):
        finalize(Flow(session, "r1", world.operator))
    session.close()
    world.undo("r2")

    assert (world.root / "one/app.conf").read_text() == "new 1.0"


def test_a_run_killed_while_it_is_accepted_has_no_way_back_that_finds_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(host: Host) -> list[str]:
        raise KeyboardInterrupt

    (world.root / "one/app.conf").write_text("old")
    world.release("1.0", [write("app.conf")])
    world.apply()
    session = world.session()
    with monkeypatch.context() as patch:
        patch.setattr("changeover.engine.finalize._empty", killed)
        with pytest.raises(KeyboardInterrupt):
            finalize(Flow(session, "r1", world.operator))
    session.close()

    with pytest.raises(NoWayBack):
        world.undo()
    session = world.session()
    finalize(Flow(session, "r1", world.operator))
    session.close()

    assert not list((world.root / "state-one/test").glob("store/*"))
