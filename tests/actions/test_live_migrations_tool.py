"""A migration tool that keeps its revision in the database, run for real on PostgreSQL."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import Host
from changeover.model.plan import Change
from tests.actions.database_host import attempt, done, planned_undo, undone
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.live

TOOL = r"""#!/bin/sh
# A tool like many: `current`, `heads`, `upgrade`, `downgrade R`; revisions are r1, r2, ...
set -eu
cd "$(dirname "$0")"
sql() { psql -XAtq -v ON_ERROR_STOP=1 -d "$(cat url)" "$@"; }
now() { sql -c "SELECT 'r' || max(n) FROM revision"; }
case $1 in
  current) echo "$(now) (head)" ;;
  heads) ls *.up.sql | sort -V | tail -n 1 | sed 's/.up.sql//' ;;
  upgrade)
    n=$(now)
    while n=r$((${n#r} + 1)); [ -e "$n.up.sql" ]; do
      sql -1 -f "$n.up.sql" -c "INSERT INTO revision VALUES (${n#r})"
    done ;;
  downgrade)
    while n=$(now); [ "$n" != "$2" ]; do
      sql -1 -f "$n.down.sql" -c "DELETE FROM revision WHERE n = ${n#r}"
    done ;;
esac
"""


@dataclass(frozen=True)
class Tool:
    folder: Path
    url: str

    def has(self, number: int, up: str, down: str = "") -> None:
        (self.folder / f"r{number}.up.sql").write_text(up)
        (self.folder / f"r{number}.down.sql").write_text(down)

    def params(self, **more: Any) -> dict[str, Any]:
        words = {verb: ["./tool", verb] for verb in ("current", "heads", "upgrade")}
        return {"database": self.url, "cwd": str(self.folder), **words, **more}

    def sql(self, statements: str) -> str:
        words = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url, "-c", statements]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def tool(tmp_path: Path, database: str, postgres: Postgres) -> Tool:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "url").write_text(database)
    (folder / "tool").write_text(TOOL)
    (folder / "tool").chmod(0o755)
    name = database.rpartition("/")[2]
    postgres.sql(f'ALTER ROLE "{name}" CREATEDB')
    tool = Tool(folder, database)
    tool.sql("CREATE TABLE revision (n int PRIMARY KEY); INSERT INTO revision VALUES (1)")
    tool.sql("CREATE TABLE item (id int PRIMARY KEY, a text); INSERT INTO item VALUES (1, 'x')")
    tool.has(1, "")
    return tool


def backed_up(host: Host, tool: Tool) -> None:
    done(host, "postgres.backup", database=tool.url, verify_by="archive")


def failing(host: Host, params: dict[str, Any]) -> tuple[Change, str]:
    action = build("migrations.tool", params)
    change = action.plan(host)
    with pytest.raises(ActionFailed) as caught:
        action.apply(attempt(host), change)
    return change, str(caught.value)


def test_a_tool_goes_from_one_revision_to_the_next_and_back_by_the_backup(
    tool: Tool, host: Host
) -> None:
    tool.has(2, "ALTER TABLE item ADD b int; UPDATE item SET b = 7")
    backed_up(host, tool)
    change = done(host, "migrations.tool", **tool.params())
    action = build("migrations.tool", tool.params())
    tool.sql("INSERT INTO item VALUES (2, 'y', 8)")

    planned = planned_undo(host, action, change)
    undone(host, action, change)

    assert "from r1 to r2" in change.summary
    assert "public.item: 1 written (2). Go on?" in planned.question
    assert tool.sql("SELECT * FROM item") == "1|x"
    assert not planned_undo(host, action, change).needed


def test_a_tool_that_fails_half_way_says_where_it_stands(tool: Tool, host: Host) -> None:
    tool.has(2, "ALTER TABLE item ADD b int")
    tool.has(3, "SELECT 1/0")
    backed_up(host, tool)

    change, error = failing(host, tool.params())
    undone(host, build("migrations.tool", tool.params()), change)

    assert "upgrade exited 3 (before it stood at r1, now at r2)" in error
    assert "division by zero" in error
    assert tool.sql("SELECT max(n) FROM revision") == "1"


def test_a_tool_that_moved_nothing_needs_no_undo(tool: Tool, host: Host) -> None:
    tool.has(2, "SELECT 1/0")
    backed_up(host, tool)

    change, _ = failing(host, tool.params())

    planned = planned_undo(host, build("migrations.tool", tool.params()), change)
    assert not planned.needed


def test_a_downgrade_keeps_what_users_wrote(tool: Tool, host: Host) -> None:
    tool.has(2, "ALTER TABLE item ADD b int", "ALTER TABLE item DROP b")
    backed_up(host, tool)
    params = tool.params(way_back="downgrade", downgrade=["./tool", "downgrade", "{revision}"])
    change = done(host, "migrations.tool", **params)
    tool.sql("INSERT INTO item VALUES (2, 'y', 8)")
    action = build("migrations.tool", params)

    planned = planned_undo(host, action, change)
    undone(host, action, change)

    assert "downgrade" in planned.summary
    assert planned.question == ""
    assert tool.sql("SELECT * FROM item ORDER BY id") == "1|x\n2|y"


def test_a_downgrade_that_leaves_other_content_is_replaced_by_the_backup(
    tool: Tool, host: Host
) -> None:
    tool.has(
        2, "ALTER TABLE item DROP a", "ALTER TABLE item ADD a text; UPDATE item SET a = 'wrong'"
    )
    backed_up(host, tool)
    params = tool.params(way_back="downgrade", downgrade=["./tool", "downgrade", "{revision}"])
    change = done(host, "migrations.tool", **params)

    undone(host, build("migrations.tool", params), change)

    assert tool.sql("SELECT * FROM item") == "1|x"


def test_a_wrong_downgrade_drops_no_rows_unasked(tool: Tool, host: Host) -> None:
    tool.has(2, "ALTER TABLE item ADD b int", "SELECT 1/0")
    backed_up(host, tool)
    params = tool.params(way_back="downgrade", downgrade=["./tool", "downgrade", "{revision}"])
    change = done(host, "migrations.tool", **params)
    tool.sql("INSERT INTO item VALUES (2, 'y', 8)")

    with pytest.raises(ActionFailed, match=r"the downgrade cannot be trusted: .*division by zero"):
        undone(host, build("migrations.tool", params), change)

    assert tool.sql("SELECT count(*) FROM item") == "2"


def test_code_that_is_not_there_yet_is_known_at_run_time(tool: Tool, host: Host) -> None:
    params = tool.params(cwd=str(tool.folder / "next"))

    change = build("migrations.tool", params).plan(host)

    assert change.unforeseen.endswith("next is not there yet")


def test_a_tool_that_does_not_tell_its_revision_fails_the_check(tool: Tool, host: Host) -> None:
    params = tool.params(current=["sh", "-c", "echo Can\\'t locate revision >&2; exit 255"])

    (finding,) = build("migrations.tool", params).check(host)

    assert "exited 255: Can't locate revision" in finding.message
    assert "older tool does not know a newer revision" in finding.remedy


def test_an_expression_without_a_group_is_refused(tool: Tool) -> None:
    with pytest.raises(InvalidRelease, match="it has no group"):
        build("migrations.tool", tool.params(revision="^x"))
