"""Edits that go to a file of their own, beside the vendor's, through releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_commands import typed
from tests.engine.reshaped import WHOLE, complaints, compose, edited_world, names, publish
from tests.engine.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two hosts whose compose.yml the operator of the first one edited."""
    return edited_world(tmp_path)


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
