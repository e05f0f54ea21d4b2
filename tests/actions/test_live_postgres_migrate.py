"""SQL migrations against a real PostgreSQL that is killed, stopped and raced for."""

from __future__ import annotations

from pathlib import Path

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed, InvalidRelease, NoWayBack
from changeover.hosts.host import Host
from tests.actions.database_host import attempt, done, planned_undo, undone
from tests.actions.migrating import LOG, add, applied, migrate, psql, said, says, script
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.live


def test_scripts_run_once_in_their_order_and_are_remembered(database: str, host: Host) -> None:
    first = done(host, "postgres.migrate", **migrate(database, script("0000", LOG), says(1)))
    again = done(
        host, "postgres.migrate", **migrate(database, script("0000", LOG), says(1), says(2))
    )
    settled = done(
        host, "postgres.migrate", **migrate(database, script("0000", LOG), says(1), says(2))
    )

    assert "by 2 of 2 scripts: 0000, 0001" in first.summary
    assert "by 1 of 3 scripts: 0002" in again.summary
    assert "has all 3 migrations" in settled.summary
    assert said(database) == ["1", "2"]


def test_a_script_is_taken_as_it_is_written(database: str, host: Host) -> None:
    odd = r"""CREATE TABLE log (said text); -- ; :USER \! touch /tmp/changeover-was-here
        INSERT INTO log VALUES (':USER'), ($m0$x$m0$), (E'it\'s'), ('a[1:USER]'), ('$m1$');
        SET search_path = pg_catalog; SET ROLE NONE; SET lock_timeout = 7"""

    done(
        host,
        "postgres.migrate",
        **migrate(database, script("a", odd), script("b", "INSERT INTO log VALUES ('b')")),
    )

    assert psql(database, "SELECT said FROM log").splitlines() == [
        ":USER",
        "x",
        "it's",
        "a[1:USER]",
        "$m1$",
        "b",
    ]
    assert not Path("/tmp/changeover-was-here").exists()  # noqa: S108 - what the script would touch


def test_a_failing_script_leaves_nothing_and_names_itself(database: str, host: Host) -> None:
    bad = script("0002", "INSERT INTO log (said) VALUES ('half');\nINSERT INTO lgo VALUES (1)")
    action = build(
        "postgres.migrate", migrate(database, script("0000", LOG), says(1), bad, says(3))
    )
    change = action.plan(host)

    with pytest.raises(
        ActionFailed, match=r'migration 0002: relation "lgo" does not exist \(line 2\)'
    ):
        action.apply(attempt(host), change)

    assert said(database) == ["1"]
    assert applied(database) == ["0000", "0001"]


def test_a_script_cannot_commit_half_of_itself(database: str, host: Host) -> None:
    sneaky = script("0001", "INSERT INTO log (said) VALUES ('half'); COMMIT; SELECT 1/0")
    action = build("postgres.migrate", migrate(database, script("0000", LOG), sneaky))

    with pytest.raises(ActionFailed, match="0001"):
        action.apply(attempt(host), action.plan(host))

    assert said(database) == []


def test_a_changed_script_is_an_error(database: str, host: Host) -> None:
    done(host, "postgres.migrate", **migrate(database, script("0000", LOG)))

    with pytest.raises(ActionFailed, match="0000 is not what was applied"):
        build("postgres.migrate", migrate(database, script("0000", LOG + " "))).plan(host)


def test_a_script_that_stands_before_an_applied_one_is_refused_or_applied(
    database: str, host: Host
) -> None:
    done(host, "postgres.migrate", **migrate(database, script("0000", LOG), says(2)))
    late = migrate(database, script("0000", LOG), says(1), says(2))

    with pytest.raises(ActionFailed, match="0001 is new and stands before 0002"):
        build("postgres.migrate", late).plan(host)
    done(host, "postgres.migrate", **late, out_of_order="apply")

    assert said(database) == ["2", "1"]


def test_a_role_without_rights_says_what_it_may_not(
    postgres: Postgres, database: str, host: Host
) -> None:
    postgres.sql("CREATE ROLE \"reader\" LOGIN PASSWORD 'reader'")
    url = postgres.url_for("reader", "reader", database.rpartition("/")[2])
    try:
        action = build("postgres.migrate", migrate(url, script("0000", LOG)))
        with pytest.raises(
            ActionFailed, match="migrate: permission denied for schema public"
        ) as caught:
            action.apply(attempt(host), action.plan(host))
    finally:
        postgres.sql('DROP ROLE "reader"')

    assert "Grant the role the right" in caught.value.remedy


def test_an_undo_restores_the_backup_and_names_what_it_drops(
    postgres: Postgres, host: Host
) -> None:
    url = postgres.create_database("undone", owner="undone", password="p w")
    postgres.sql("ALTER ROLE undone CREATEDB")
    try:
        psql(url, f"{LOG}; {add('before')}")
        done(host, "postgres.backup", database=url)
        psql(url, "INSERT INTO log (said) VALUES ('missed')")
        params = migrate(
            url, script("1", "ALTER TABLE log ADD x int; UPDATE log SET x = 1"), backup=""
        )
        action = build("postgres.migrate", params)
        change = done(host, "postgres.migrate", **params)
        asked = planned_undo(host, action, change).question
        psql(url, "INSERT INTO log (said) VALUES ('since'); DELETE FROM log WHERE said = 'before'")
        later = planned_undo(host, action, change).question
        undone(host, action, change)

        assert "between the backup" in asked
        assert "public.log: 1 written (2)" in asked
        assert "since" not in asked
        assert "public.log: 1 written (3), 1 changed or deleted" in later
        assert psql(url, "SELECT * FROM log") == "1|before"
        done(host, "postgres.migrate", **params)
    finally:
        postgres.drop_database("undone")
        postgres.sql("DROP ROLE undone")


def test_a_migration_that_failed_whole_needs_no_undo(database: str, host: Host) -> None:
    done(host, "postgres.backup", database=database)
    params = migrate(database, script("1", "CREATE TABLE a (a int); SELECT 1/0"), backup="")
    action = build("postgres.migrate", params)
    change = action.plan(host)
    with pytest.raises(ActionFailed):
        action.apply(attempt(host), change)

    planned = planned_undo(host, action, change)

    assert not planned.needed


def test_without_a_backup_nothing_is_migrated_or_there_is_no_way_back(
    database: str, host: Host
) -> None:
    action = build("postgres.migrate", migrate(database, script("1", LOG), backup=""))
    with pytest.raises(ActionFailed, match="no verified backup"):
        action.apply(attempt(host), action.plan(host))

    bold = migrate(database, script("1", LOG))
    change = done(host, "postgres.migrate", **bold)
    with pytest.raises(NoWayBack):
        planned_undo(host, build("postgres.migrate", bold), change)


def test_a_folder_on_the_host_is_applied_by_name(database: str, host: Host, tmp_path: Path) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "1.sql").write_text(LOG)
    (tmp_path / "sql" / "2 two.sql").write_text("INSERT INTO log (said) VALUES ('ü')")

    done(host, "postgres.migrate", database=database, folder=str(tmp_path / "sql"), backup="none")

    assert said(database) == ["ü"]


def test_either_scripts_or_a_folder() -> None:
    with pytest.raises(InvalidRelease, match="either `scripts` or `folder`"):
        build("postgres.migrate", {"database": "postgresql:///x"})
