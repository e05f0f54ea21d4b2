"""Files that change shape through releases: divided, joined, moved and beside an override."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from changeover.engine.preflight import examine
from changeover.model.findings import Severity
from tests.cli.test_commands import typed
from tests.engine.world import World

WEB = "  web:\n    image: web:1\n    mem_limit: 1g\n"
DB = "  db:\n    image: db:1\n"
CACHE = "  cache:\n    image: cache:1\n"
WHOLE = f"services:\n{WEB}{DB}"
EDITS = [("1g", "2g  # measured"), ("db:1", "db:1\n    # ours\n    restart: always")]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two hosts whose compose.yml the operator of the first one edited."""
    world = World(tmp_path)
    publish(world, "1.0.0", {"app": ("compose.yml", WHOLE, {})})
    world.apply()
    file = compose(world)
    text = file.read_text()
    for old, new in EDITS:
        text = text.replace(old, new)
    file.write_text(text)
    file.chmod(0o640)
    return world


def publish(world: World, version: str, files: dict[str, tuple[str, str, dict[str, Any]]]) -> None:
    """A release that merges files on every web host, in this order."""
    steps = [
        {"id": name, "use": "files.merge", "on": "web", "with": {"config": name}} for name in files
    ]
    home = "{{ host.vars.home }}"
    configs = {
        name: {"reference": f"files/{name}", "at": f"{home}/{at}", **more}
        for name, (at, _, more) in files.items()
    }
    folder = world.release(version, steps, configs=configs)
    (folder / "files").mkdir(exist_ok=True)
    for name, (_, text, _more) in files.items():
        (folder / "files" / name).write_text(text)


def compose(world: World, name: str = "compose.yml") -> Path:
    return world.root / "one" / name


def complaints(world: World) -> list[str]:
    session = world.session()
    try:
        findings, _ = examine(session, world.request(session))
    finally:
        session.close()
    return [f"{f.host}: {f.message}" for f in findings if f.severity is Severity.FAIL]


def names(world: World) -> list[str]:
    return sorted(path.name for path in (world.root / "one").iterdir())


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


def test_edits_become_an_override_that_the_next_releases_leave_alone(world: World) -> None:
    before = compose(world).read_bytes()
    over = {"override": "{{ host.vars.home }}/compose.override.yml"}
    edits = (
        "services:\n  web:\n    mem_limit: 2g  # measured\n"
        "  db:\n    # ours\n    restart: always\n"
    )  # fmt: skip
    second, third = WHOLE.replace("web:1", "web:2"), WHOLE.replace("web:1", "web:3")

    publish(world, "1.1.0", {"app": ("compose.yml", second, over)})
    world.apply(run="r2")
    first = (compose(world).read_text(), compose(world, "compose.override.yml").read_text())
    publish(world, "1.2.0", {"app": ("compose.yml", third, over)})
    world.apply(run="r3")
    later = (compose(world).read_text(), compose(world, "compose.override.yml").read_text())
    world.undo(run="r3")
    world.undo(run="r2")

    assert first == (second, edits)
    assert later == (third, edits)
    assert (compose(world).read_bytes(), names(world)) == (before, ["compose.yml"])


def test_what_somebody_edits_in_the_vendors_file_joins_the_override(world: World) -> None:
    over = {"override": "{{ host.vars.home }}/compose.override.yml"}
    publish(world, "1.1.0", {"app": ("compose.yml", WHOLE, over)})
    world.apply(run="r2")
    file = compose(world)
    file.write_text(file.read_text().replace("db:1", "db:1\n    cpus: 2"))
    third = WHOLE.replace("web:1", "web:3")
    publish(world, "1.2.0", {"app": ("compose.yml", third, over)})

    world.apply(run="r3")

    assert file.read_text() == third
    assert compose(world, "compose.override.yml").read_text() == (
        "services:\n  web:\n    mem_limit: 2g  # measured\n"
        "  db:\n    # ours\n    restart: always\n    cpus: 2\n"
    )


def test_a_copied_unit_becomes_a_drop_in_of_the_vendors(world: World) -> None:
    unit = "[Service]\nExecStart=/bin/shop\nRestart=no\n"
    copy = compose(world, "etc/shop.service")
    copy.parent.mkdir()
    copy.write_text(unit.replace("Restart=no", "# it must be up\nRestart=always"))
    compose(world, "lib").mkdir()
    compose(world, "lib/shop.service").write_text(unit)
    home = "{{ host.vars.home }}"
    publish(world, "1.1.0", {"unit": ("lib/shop.service", unit + "User=shop\n", {
        "was": f"{home}/etc/shop.service", "base": "files/before", "format": "systemd",
        "override": f"{home}/etc/shop.service.d/local.conf",
    })})  # fmt: skip
    (world.root / "releases/shop/1.1.0/files/before").write_text(unit)

    world.apply(run="r2")

    assert compose(world, "lib/shop.service").read_text() == unit + "User=shop\n"
    assert compose(world, "etc/shop.service.d/local.conf").read_text() == (
        "[Service]\n# it must be up\nRestart=always\n"
    )
    assert not copy.exists()
    world.undo(run="r2")
    assert "Restart=always" in copy.read_text()
    assert sorted(path.name for path in copy.parent.iterdir()) == ["shop.service"]
    assert compose(world, "lib/shop.service").read_text() == unit


def test_an_override_that_hides_a_change_of_the_vendor_is_asked_about(world: World) -> None:
    over = {"override": "{{ host.vars.home }}/compose.override.yml"}
    publish(world, "1.1.0", {"app": ("compose.yml", WHOLE, over)})
    world.apply(run="r2")
    publish(world, "1.2.0", {"app": ("compose.yml", WHOLE.replace("1g", "4g"), over)})

    (asked,) = complaints(world)

    assert "services.web.mem_limit: changed here and in the reference" in asked


def test_what_an_override_cannot_say_is_asked_about(world: World) -> None:
    file = compose(world)
    file.write_text(file.read_text().replace("    mem_limit: 2g  # measured\n", ""))
    over = {"override": "{{ host.vars.home }}/compose.override.yml"}
    publish(world, "1.1.0", {"app": ("compose.yml", WHOLE, over)})

    (asked,) = complaints(world)

    assert "services.web.mem_limit: deleted here, which an override cannot say" in asked
    assert typed(world, "plan", "--answer", "services.web.mem_limit=theirs").returncode == 0


def test_files_on_hosts_are_shown_with_what_their_override_says(world: World) -> None:
    over = {"override": "{{ host.vars.home }}/compose.override.yml"}
    publish(world, "1.1.0", {"app": ("compose.yml", WHOLE.replace("web:1", "web:2"), over)})

    merged = typed(world, "files", "merge", "--to", "1.1.0", "--yes")
    shown = typed(world, "files", "diff", "--to", "1.1.0")

    assert "the file as it was: " in merged.stdout
    assert "services.web.mem_limit  1g → 2g → 1g  changed here" in shown.stdout
    assert "web:2" not in shown.stdout


def test_a_host_nobody_edited_gets_the_reference_and_no_override(world: World) -> None:
    over = {"override": "{{ host.vars.home }}/compose.override.yml"}
    publish(world, "1.1.0", {"app": ("compose.yml", WHOLE.replace("web:1", "web:2"), over)})

    world.apply(run="r2")

    assert sorted(p.name for p in (world.root / "two").iterdir()) == ["compose.yml"]
    assert "web:2" in (world.root / "two/compose.yml").read_text()


def test_a_file_of_nobody_before_is_made_from_the_reference(world: World) -> None:
    compose(world).unlink()
    publish(world, "1.1.0", {"app": ("app.yml", WHOLE, {"was": ["app", "/nowhere/old.yml"]})})

    world.apply(run="r2")

    assert compose(world, "app.yml").read_text() == WHOLE
