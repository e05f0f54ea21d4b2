"""Going back to older code: by the migrations' downgrade that proves itself, or by a backup."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.findings import Severity
from changeover.model.plan import Effect
from tests.actions.database_host import attempt, done, planned_undo, undone
from tests.actions.test_live_migrations_tool import TOOL, Tool
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.live

UP = "ALTER TABLE item ADD b int; UPDATE item SET b = 7"
DOWN = "ALTER TABLE item DROP b"
REVISION = "SELECT 'r' || max(n) FROM revision"
KNOWN = """\
if [ "$1" = current ] && [ ! -e "$(now).up.sql" ]; then echo "Can't locate $(now)" >&2; exit 255; fi
case $1 in"""
SHOUT = "UPDATE item SET a = upper(a)"
FORGET = "DELETE FROM note"


@pytest.fixture
def tool(tmp_path: Path, database: str, postgres: Postgres) -> Tool:
    """Code of revision r2 in `app`, of r1 in `older`; two tables, one of which changes."""
    folder, older = tmp_path / "app", tmp_path / "older"
    folder.mkdir()
    (folder / "url").write_text(database)
    (folder / "tool").write_text(TOOL.replace("case $1 in", KNOWN, 1))
    (folder / "tool").chmod(0o755)
    name = database.rpartition("/")[2]
    postgres.sql(f'ALTER ROLE "{name}" CREATEDB')
    tool = Tool(folder, database)
    tool.sql("CREATE TABLE revision (n int PRIMARY KEY); INSERT INTO revision VALUES (1)")
    tool.sql("CREATE TABLE item (id int PRIMARY KEY, a text); INSERT INTO item VALUES (1, 'x')")
    tool.sql("CREATE TABLE note (id int PRIMARY KEY); INSERT INTO note VALUES (1)")
    tool.has(1, "")
    shutil.copytree(folder, older)
    return tool


def backed_up(host: Host, tool: Tool, **more: Any) -> None:
    done(host, "postgres.backup", database=tool.url, verify_by="archive", **more)


def upgraded(host: Host, tool: Tool, up: str = UP, down: str = DOWN) -> None:
    tool.has(2, up, down)
    backed_up(host, tool)
    done(host, "migrations.tool", **tool.params())


def known(host: Host, tool: Tool) -> str:
    """Note the newest revision of the older code; gives the file."""
    older = tool.folder.with_name("older")
    done(host, "migrations.known", cwd=str(older), heads=["./tool", "heads"], noted=f"{older}/head")
    return f"{older}/head"


def params(tool: Tool, noted: str) -> dict[str, Any]:
    return {
        "database": tool.url,
        "cwd": str(tool.folder),
        "older": str(tool.folder.with_name("older")),
        "current": ["./tool", "current"],
        "downgrade": ["./tool", "downgrade", "{revision}"],
        "noted": noted,
        "revision_sql": REVISION,
    }


def test_older_code_is_refused_before_anything_stops(tool: Tool, host: Host) -> None:
    upgraded(host, tool)

    with pytest.raises(ActionFailed, match=r"`./tool current` exited 255: Can't locate r2"):
        done(
            host,
            "migrations.known",
            cwd=str(tool.folder.with_name("older")),
            current=["./tool", "current"],
        )


def test_a_downgrade_counts_once_the_content_is_what_it_was(tool: Tool, host: Host) -> None:
    upgraded(host, tool)
    given = params(tool, known(host, tool))
    backed_up(host, tool)

    change = done(host, "migrations.downgrade", **given)

    assert "downgrade" in change.summary
    assert tool.sql(REVISION) == "r1"
    assert done(host, "migrations.downgrade", **given).effect is Effect.NONE
    undone(host, build("migrations.downgrade", given), change)
    assert tool.sql("SELECT * FROM item") == "1|x|7"


def test_rows_people_wrote_since_are_kept_and_do_not_hinder(tool: Tool, host: Host) -> None:
    upgraded(host, tool)
    tool.sql("INSERT INTO item VALUES (2, 'y', 8)")
    given = params(tool, known(host, tool))
    backed_up(host, tool)

    done(host, "migrations.downgrade", **given)

    assert tool.sql("SELECT * FROM item ORDER BY id") == "1|x\n2|y"


@pytest.mark.parametrize(
    ("up", "down", "wrong"),
    [
        ("; ".join((UP, SHOUT)), DOWN, "other rows than backup .* in public.item"),
        (UP, "SELECT 1", "the schema is not what it was before the migration"),
        (UP, "; ".join((DOWN, FORGET)), "in public.note"),
    ],
)
def test_a_downgrade_that_exits_0_and_leaves_wrong_content_has_failed(
    tool: Tool, host: Host, up: str, down: str, wrong: str
) -> None:
    upgraded(host, tool, up, down)
    kept = tool.sql("SELECT * FROM item")
    given = params(tool, known(host, tool))
    backed_up(host, tool)
    action = build("migrations.downgrade", given)
    change = action.plan(host)

    for _ in range(2):  # a resumed step does not take it for done
        with pytest.raises(ActionFailed, match=wrong):
            action.apply(attempt(host), action.plan(host))

    assert action.plan(host).needed
    assert "restore" in planned_undo(host, action, change).summary
    undone(host, action, change)
    assert tool.sql("SELECT * FROM item") == kept
    assert tool.sql("SELECT count(*) FROM note") == "1"


def test_rows_lost_beside_rows_people_wrote_are_noticed(tool: Tool, host: Host) -> None:
    upgraded(host, tool, UP, "; ".join(("DELETE FROM item WHERE b = 8", DOWN)))
    tool.sql("INSERT INTO item VALUES (2, 'y', 8)")
    given = params(tool, known(host, tool))
    backed_up(host, tool)

    with pytest.raises(ActionFailed, match=r"another number of rows in public\.item"):
        done(host, "migrations.downgrade", **given)


def test_what_cannot_be_compared_is_refused_before(tool: Tool, host: Host) -> None:
    tool.has(2, UP, DOWN)
    tool.sql("; ".join((UP, "INSERT INTO revision VALUES (2)")))
    action = build("migrations.downgrade", params(tool, known(host, tool)))

    (finding,) = action.check(host)

    assert finding.severity is Severity.FAIL
    assert "no migration away from r1 was seen here" in finding.message


def test_a_named_backup_is_restored_and_what_was_there_comes_back(tool: Tool, host: Host) -> None:
    backed_up(host, tool)
    tool.sql("INSERT INTO item VALUES (2, 'y')")
    backed_up(host, tool, backup="present")
    given = {"database": tool.url, "undo_backup": "present"}

    change = done(host, "postgres.restore", **given)

    action = build("postgres.restore", given)
    assert tool.sql("SELECT count(*) FROM item") == "1"
    undone(host, action, change)
    assert tool.sql("SELECT count(*) FROM item") == "2"
    assert not planned_undo(host, action, change).needed


def test_a_backup_that_is_not_there_is_named_with_those_that_are(tool: Tool, host: Host) -> None:
    backed_up(host, tool)

    (finding,) = build("postgres.restore", {"database": tool.url, "id": "20000101T000000Z"}).check(
        host
    )

    assert "backup 20000101T000000Z is not in" in finding.message
    assert "There: 2" in finding.remedy
