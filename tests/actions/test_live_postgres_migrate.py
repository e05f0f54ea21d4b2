"""SQL migrations against a real PostgreSQL that is killed, stopped and raced for."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed, InvalidRelease, NoWayBack
from changeover.hosts.host import Host
from changeover.tools import ledger
from changeover.tools.ledger import Script, Terms
from changeover.tools.psql import parse_url
from tests.actions.database_host import attempt, done, planned_undo, this_host, undone
from tests.actions.severed import Severed
from tests.servers.postgres import Postgres
from tests.servers.program import await_outcome

pytestmark = pytest.mark.live

LOG = "CREATE TABLE log (id serial PRIMARY KEY, said text)"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with this_host(tmp_path) as host:
        yield host


def script(name: str, content: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "content": content, **options}


def add(text: str) -> str:
    return "INSERT INTO log (said) VALUES ('TEXT')".replace("TEXT", text)


def says(number: int) -> dict[str, Any]:
    return script(f"{number:04}", add(str(number)))


def migrate(url: str, *scripts: dict[str, Any], **params: Any) -> dict[str, Any]:
    return {"database": url, "scripts": list(scripts), "backup": "none", **params}


def psql(url: str, sql: str) -> str:
    words = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def said(url: str) -> list[str]:
    return psql(url, "SELECT said FROM log ORDER BY id").splitlines()


def applied(url: str) -> list[str]:
    return psql(
        url, "SELECT name FROM changeover_migrations WHERE applied_at IS NOT NULL ORDER BY 1"
    ).splitlines()


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


def test_five_runners_at_once_apply_each_script_once(database: str, tmp_path: Path) -> None:
    params = migrate(database, script("0000", LOG), *(says(n) for n in range(1, 21)))

    def run(number: int) -> None:
        with this_host(tmp_path / str(number)) as host:
            done(host, "postgres.migrate", **params)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(run, range(5)))

    assert said(database) == [str(n) for n in range(1, 21)]


def test_a_concurrent_index_is_built_while_another_runner_waits(
    database: str, tmp_path: Path
) -> None:
    params = migrate(
        database, script("0000", LOG),
        script("0001", "-- changeover: no-transaction\nCREATE INDEX CONCURRENTLY ON log (said);\n"
               "CREATE INDEX CONCURRENTLY by_id ON log (id)"),
    )  # fmt: skip

    def run(number: int) -> None:
        with this_host(tmp_path / str(number)) as host:
            done(host, "postgres.migrate", **params)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, range(3)))

    assert (
        psql(
            database,
            "SELECT count(*) FROM pg_index WHERE indrelid = 'log'::regclass AND indisvalid",
        )
        == "3"
    )


def test_a_script_cut_between_its_statements_is_not_repeated_blindly(
    database: str, host: Host
) -> None:
    cut = script("0001", "INSERT INTO log (said) VALUES ('one'); SELECT 1/0", transaction=False)
    action = build("postgres.migrate", migrate(database, script("0000", LOG), cut))
    with pytest.raises(ActionFailed, match="division by zero"):
        action.apply(attempt(host), action.plan(host))

    with pytest.raises(ActionFailed, match=r"cut half-way .* some of them may hold"):
        action.apply(attempt(host), action.plan(host))

    assert said(database) == ["one"]


def test_a_lock_that_is_not_given_back_names_its_holder(database: str, host: Host) -> None:
    key = "hashtext('changeover'), hashtext('public.changeover_migrations')"
    words = [
        "psql",
        "-Xq",
        "-d",
        database,
        "-c",
        f"SELECT pg_advisory_lock({key})",
        "-c",
        "SELECT pg_sleep(60)",
    ]
    holder = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    held = """SELECT count(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid
        WHERE locktype = 'advisory' AND granted AND datname = current_database()"""
    await_outcome(lambda: psql(database, held) == "1", 10)
    action = build("postgres.migrate", migrate(database, script("0000", LOG), lock_wait=0.3))
    try:
        with pytest.raises(
            ActionFailed, match=r"another run migrates this database: backend \d+ \(psql"
        ):
            action.apply(attempt(host), action.plan(host))
    finally:
        holder.kill()
        holder.wait()


@pytest.mark.parametrize("reached", [True, False])
def test_a_connection_lost_at_any_statement_applies_nothing_twice(
    database: str, host: Host, reached: bool
) -> None:
    scripts = [
        Script("0000", LOG),
        *(Script(f"{n:04}", add(str(n))) for n in range(1, 6)),
    ]
    scripts.append(
        Script(
            "0006",
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON log (said)",
            transaction=False,
            again=True,
        )
    )
    terms = Terms("public.changeover_migrations", "test", 20, 20, 0)
    direct = parse_url(database)
    lost = 0
    for statement in count(1):
        with Severed(int(direct.settings["port"]), statement, reached) as proxy:
            through = replace(direct, settings={**direct.settings, "port": str(proxy.port)})
            first = host.ask(ledger.migrate(through, scripts, terms))
        second = host.ask(ledger.migrate(direct, scripts, terms))

        assert second.ok, second.stderr
        assert said(database) == ["1", "2", "3", "4", "5"]
        psql(database, "DROP TABLE log, changeover_migrations")
        if first.ok:
            break
        lost += 1
    assert lost > 15


def test_a_server_that_stops_in_mid_migration_is_gone_on_with(
    own_postgres: Postgres, host: Host
) -> None:
    url = own_postgres.create_database("shop", owner="shop", password="p'w")
    slow = script("0002", "INSERT INTO log (said) VALUES ('2'); SELECT pg_sleep(30)")
    action = build("postgres.migrate", migrate(url, script("0000", LOG), says(1), slow))
    change = action.plan(host)
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"

    def stop() -> None:
        await_outcome(lambda: own_postgres.sql(asleep) == "1", 20)
        own_postgres.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(ActionFailed, match=r"migration 0002: .*terminat"):
        action.apply(attempt(host), change)
    stopper.join()
    with pytest.raises(ActionFailed, match=r"Connection refused|connection to server"):
        action.plan(host)
    own_postgres.start()
    quick = script("0002", "INSERT INTO log (said) VALUES ('2')")
    done(host, "postgres.migrate", **migrate(url, script("0000", LOG), says(1), quick))

    assert said(url) == ["1", "2"]


def test_a_killed_client_leaves_no_backend_and_no_lock(
    database: str, postgres: Postgres, tmp_path: Path
) -> None:
    slow = migrate(database, script("0000", LOG), script("0001", "SELECT pg_sleep(600)"))
    asleep = """SELECT pid FROM pg_stat_activity
        WHERE wait_event = 'PgSleep' AND datname = current_database()"""

    def run() -> None:
        with this_host(tmp_path / "killed") as host, pytest.raises(ActionFailed):
            done(host, "postgres.migrate", **slow)

    runner = threading.Thread(target=run)
    runner.start()
    await_outcome(lambda: psql(database, asleep) != "", 20)
    name = database.rpartition("/")[2]
    client = subprocess.run(
        ["pgrep", "-f", f"psql .*dbname={name} "], capture_output=True, text=True, check=True
    ).stdout.split()
    for pid in map(int, client):
        os.kill(pid, signal.SIGKILL)
    runner.join()

    assert await_outcome(lambda: psql(database, asleep) == "", 10)


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
