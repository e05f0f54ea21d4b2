"""`postgres.migrate` beside others and cut short: nothing is applied twice, nothing half."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.tools import ledger
from changeover.tools.ledger import Script, Terms
from changeover.tools.psql import parse_url
from tests.actions.database_host import attempt, done, this_host
from tests.actions.migrating import LOG, add, migrate, psql, said, says, script
from tests.actions.severed import Severed
from tests.servers.postgres import Postgres
from tests.servers.program import await_outcome

pytestmark = pytest.mark.live


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
    await_outcome(lambda: psql(database, held) == "1", 30)
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
        await_outcome(lambda: own_postgres.sql(asleep) == "1", 30)
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
    await_outcome(lambda: psql(database, asleep) != "", 30)
    name = database.rpartition("/")[2]
    client = subprocess.run(
        ["pgrep", "-f", f"psql .*dbname={name} "], capture_output=True, text=True, check=True
    ).stdout.split()
    for pid in map(int, client):
        os.kill(pid, signal.SIGKILL)
    runner.join()

    assert await_outcome(lambda: psql(database, asleep) == "", 30)
