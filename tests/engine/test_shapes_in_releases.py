"""Files that change shape through releases: divided, joined and moved."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_commands import typed
from tests.engine.reshaped import (
    CACHE,
    DB,
    WEB,
    WHOLE,
    complaints,
    compose,
    edited_world,
    names,
    publish,
)
from tests.engine.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two hosts whose compose.yml the operator of the first one edited."""
    return edited_world(tmp_path)


def test_a_file_is_divided_and_comes_back_byte_for_byte(world: World) -> None:
    before = compose(world).read_bytes()
    publish(world, "1.1.0", {
        "db": ("db.yml", "services:\n" + DB.replace("db:1", "db:2"), {"was": "app"}),
        "app": ("compose.yml", "services:\n" + WEB.replace("web:1", "web:2"), {"was": "app"}),
    })  # fmt: skip

    world.apply(run="r2")

    assert compose(world).read_text() == (
        "services:\n  web:\n    image: web:2\n    mem_limit: 2g  # measured\n"
    )
    assert compose(world, "db.yml").read_text() == (
        "services:\n  db:\n    image: db:2\n    # ours\n    restart: always\n"
    )
    assert stat.S_IMODE(compose(world, "db.yml").stat().st_mode) == 0o640
    world.undo(run="r2")
    assert (compose(world).read_bytes(), names(world)) == (before, ["compose.yml"])


def test_the_release_after_a_division_merges_each_part_with_its_own_reference(
    world: World,
) -> None:
    parts: dict[str, tuple[str, str, dict[str, Any]]] = {
        "db": ("db.yml", "services:\n" + DB, {"was": "app"}),
        "app": ("compose.yml", "services:\n" + WEB, {"was": "app"}),
    }
    publish(world, "1.1.0", parts)
    world.apply(run="r2")
    # What somebody adds to one file now is that file's, though a release still says what it was.
    file = compose(world)
    file.write_text(file.read_text() + "  db:\n    cpus: 2\n")
    publish(world, "1.2.0", {n: (at, text.replace(":1", ":3"), m)
                             for n, (at, text, m) in parts.items()})  # fmt: skip

    world.apply(run="r3")

    assert "image: web:3" in file.read_text()
    assert "    cpus: 2\n" in file.read_text()
    assert "image: db:3" in compose(world, "db.yml").read_text()


def test_an_addition_with_several_homes_is_asked_about_and_put_where_the_answer_says(
    world: World,
) -> None:
    file = compose(world)
    file.write_text(file.read_text() + "  cron:\n    image: cron:1\n")
    publish(world, "1.1.0", {
        "web": ("web.yml", f"services:\n{WEB}", {"was": "app"}),
        "db": ("db.yml", f"services:\n{DB}", {"was": "app"}),
    })  # fmt: skip

    (asked,) = complaints(world)
    planned = typed(world, "plan", "--answer", "services.cron=db")
    world.apply(run="r2")

    assert "services.cron: may belong to several files" in asked
    assert planned.returncode == 0, planned.stderr
    assert "image: cron:1" in compose(world, "db.yml").read_text()
    assert "cron" not in compose(world, "web.yml").read_text()
    assert names(world) == ["db.yml", "web.yml"]
    assert "services.cron" in (world.instance / "answers.yaml").read_text()


def test_two_files_become_one_and_the_other_goes(world: World) -> None:
    publish(world, "1.1.0", {
        "db": ("db.yml", "services:\n" + DB, {"was": "app"}),
        "app": ("compose.yml", "services:\n" + WEB, {"was": "app"}),
    })  # fmt: skip
    world.apply(run="r2")
    before = {name: compose(world, name).read_bytes() for name in names(world)}
    publish(world, "1.2.0", {"app": ("compose.yml", WHOLE, {"was": ["app", "db"]})})

    world.apply(run="r3")

    assert names(world) == ["compose.yml"]
    text = compose(world).read_text()
    assert text == (
        "services:\n  web:\n    image: web:1\n    mem_limit: 2g  # measured\n"
        "  db:\n    image: db:1\n    # ours\n    restart: always\n"
    )
    world.undo(run="r3")
    assert {name: compose(world, name).read_bytes() for name in names(world)} == before


def test_a_file_may_be_divided_joined_and_divided_again(world: World) -> None:
    parts: dict[str, tuple[str, str, dict[str, Any]]] = {
        "db": ("db.yml", "services:\n" + DB, {"was": "app"}),
        "app": ("compose.yml", "services:\n" + WEB, {"was": "app"}),
    }
    publish(world, "1.1.0", parts)
    world.apply(run="r2")
    there = {name: compose(world, name).read_bytes() for name in names(world)}
    publish(world, "1.2.0", {"app": ("compose.yml", WHOLE, {"was": ["app", "db"]})})
    world.apply(run="r3")
    publish(world, "1.3.0", parts)

    world.apply(run="r4")

    assert {name: compose(world, name).read_bytes() for name in names(world)} == there


def test_what_goes_from_one_file_that_stays_into_another_takes_its_edit_along(
    world: World,
) -> None:
    publish(world, "1.1.0", {
        "db": ("db.yml", "services:\n" + DB, {"was": "app"}),
        "app": ("compose.yml", "services:\n" + WEB + CACHE, {"was": "app"}),
    })  # fmt: skip
    world.apply(run="r2")
    file = compose(world)
    file.write_text(file.read_text().replace("cache:1", "lan/cache:1"))
    before = {name: compose(world, name).read_bytes() for name in names(world)}
    publish(world, "1.2.0", {
        "db": ("db.yml", "services:\n" + DB + CACHE, {"was": ["app", "db"]}),
        "app": ("compose.yml", "services:\n" + WEB, {"was": "app"}),
    })  # fmt: skip

    world.apply(run="r3")

    assert compose(world, "db.yml").read_text() == (
        "services:\n  db:\n    image: db:1\n    # ours\n    restart: always\n"
        "  cache:\n    image: lan/cache:1\n"
    )
    assert "cache" not in file.read_text()
    world.undo(run="r3")
    assert {name: compose(world, name).read_bytes() for name in names(world)} == before


@pytest.mark.parametrize(
    ("more", "left"), [({}, ["etc"]), ({"keep_old": True}, ["compose.yml", "etc"])]
)
def test_a_moved_file_brings_its_edits_mode_and_folder(
    world: World, more: dict[str, Any], left: list[str]
) -> None:
    publish(world, "1.1.0", {"app": ("etc/app.yml", WHOLE.replace("web:1", "web:2"),
                                     {"was": "app", **more})})  # fmt: skip

    assert complaints(world) == []
    world.apply(run="r2")

    new = compose(world, "etc/app.yml")
    assert new.read_text().startswith("services:\n  web:\n    image: web:2\n    mem_limit: 2g")
    assert stat.S_IMODE(new.stat().st_mode) == 0o640
    assert names(world) == left
    assert complaints(world) == []


def test_a_file_that_is_there_already_is_not_written_over(world: World) -> None:
    compose(world, "app.yml").write_text("services:\n  mine:\n    image: mine:1\n")
    publish(world, "1.1.0", {"app": ("app.yml", WHOLE, {"was": "app"})})

    found = complaints(world)

    assert any("are both there, and nobody knows which of them counts" in one for one in found)


def test_a_step_before_its_turn_is_found_by_check(world: World) -> None:
    publish(world, "1.1.0", {
        "app": ("compose.yml", "services:\n" + WEB, {"was": "app"}),
        "db": ("db.yml", "services:\n" + DB, {"was": "app"}),
    })  # fmt: skip

    found = complaints(world)

    assert any("has to be made before" in one for one in found)


def test_a_file_of_nobody_before_is_made_from_the_reference(world: World) -> None:
    compose(world).unlink()
    publish(world, "1.1.0", {"app": ("app.yml", WHOLE, {"was": ["app", "/nowhere/old.yml"]})})

    world.apply(run="r2")

    assert compose(world, "app.yml").read_text() == WHOLE
