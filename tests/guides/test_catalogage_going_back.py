"""Back to an older commit: by a downgrade that proves itself, or by a named backup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from labs.catalogage.choice import DATABASE
from labs.catalogage.local import LocalLab

from tests.guides.test_catalogage import changeover, deploy, under_traffic, version

pytestmark = pytest.mark.live

UNDO = ("--on-failure", "undo")


def revision(lab: LocalLab) -> str:
    return lab.postgres.sql("SELECT version_num FROM alembic_version", DATABASE)


def content(lab: LocalLab) -> set[str]:
    return set(lab.postgres.sql("SELECT md5(d::text) FROM dataset d", DATABASE).split())


def back(ref: str, how: str, *more: str) -> tuple[str, ...]:
    return ("apply", "--set", f"ref={ref}", "--set", f"going_back={how}", "--yes", *more)


def test_a_downgrade_whose_content_is_proven_serves_older_code(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    instance = fresh_lab.write_instance(tmp_path / "instance")
    deploy(instance, "1.1.0", "--set", "compatible_migrations=true")
    was, kept = revision(fresh_lab), content(fresh_lab)
    deploy(instance, "1.2.0")

    planned = changeover(instance, "plan", *back("1.1.0", "downgrade")[1:-1])
    words = back("1.1.0", "downgrade", *UNDO)
    report, said = under_traffic(fresh_lab, instance, *words)

    assert "downgrade catalogage on" in planned.stdout, planned.stdout
    assert (version(fresh_lab), revision(fresh_lab)) == ("1.1.0", was), said
    assert kept <= content(fresh_lab)
    assert {failure.why for failure in report.failures} <= {"503"}


def test_a_downgrade_that_leaves_wrong_data_is_taken_back_and_a_restore_serves(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    instance = fresh_lab.write_instance(tmp_path / "instance")
    deploy(instance, "1.2.0")
    older, kept = revision(fresh_lab), content(fresh_lab)
    deploy(instance, "1.4.1")
    newer, now = revision(fresh_lab), content(fresh_lab)

    failed = changeover(instance, *back("1.2.0", "downgrade", *UNDO))

    said = " ".join(failed.stdout.split())
    assert "the downgrade cannot be trusted: other rows than backup" in said
    assert (version(fresh_lab), revision(fresh_lab)) == ("1.4.1", newer), failed.stdout
    assert content(fresh_lab) == now
    found = re.search(r"other rows than backup (\w+)", said)
    assert found
    named = back("1.2.0", "restore", "--set", f"backup_id={found[1]}", *UNDO)

    planned = changeover(instance, "plan", *(word for word in named[1:-2] if word != "--yes"))
    done = changeover(instance, *named, "--approve", "restore")

    assert "drops what was written since the backup" in " ".join(planned.stdout.split())
    assert (version(fresh_lab), revision(fresh_lab)) == ("1.2.0", older), done.stdout
    assert content(fresh_lab) == kept
    undone = changeover(instance, "undo", "--yes")
    assert (version(fresh_lab), revision(fresh_lab)) == ("1.4.1", newer), undone.stdout
    assert content(fresh_lab) == now
