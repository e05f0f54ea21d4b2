"""`nginx.traffic`, `cron.mentions`, `postgres.activity`, `postgres.drop`: what they see is so."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.findings import Severity
from changeover.model.plan import Effect
from changeover.tools.cron import entries, parse_entries
from tests.actions.live import acting, planned, this_machine
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.live


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = this_machine(tmp_path / "state")
    yield made
    made.transport.close()


def request(address: str, days_ago: float) -> str:
    at = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(time.time() - days_ago * 86400))
    return f'{address} - - [{at}] "GET / HTTP/1.1" 200 5 "-" "-"\n'


def test_requests_of_the_last_days_are_counted_in_rotated_logs_too(
    host: Host, tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    log.write_text(request("192.0.2.1", 1) + request("127.0.0.1", 0) + "not a request\n")
    Path(f"{log}.1").write_text(request("192.0.2.2", 3) + request("192.0.2.1", 30))
    with gzip.open(f"{log}.2.gz", "wt") as older:
        older.write(request("2001:db8::1", 5) + request("192.0.2.9", 40))

    action, change = planned("nginx.traffic", host, logs=[str(log)], ports=[1])

    assert "3 requests from 3 addresses in 7 days" in change.summary
    assert [f.severity for f in action.check(host)] == [Severity.WARN]
    quiet = build("nginx.traffic", {"logs": [str(tmp_path / "none")], "ports": [1]})
    assert "no request in 7 days" in quiet.plan(host).summary


def test_a_database_tells_who_is_connected_and_what_was_written(
    host: Host, postgres: Postgres, database: str
) -> None:
    postgres.sql(
        "CREATE TABLE t (i int); INSERT INTO t VALUES (1), (2)", database.rpartition("/")[2]
    )

    action, change = planned("postgres.activity", host, database=database)

    assert change.effect is Effect.NONE
    assert "0 connections of others" in change.summary
    assert [f.severity for f in action.check(host)] == [Severity.PASS]


def test_a_database_is_dropped_from_another_and_is_gone(host: Host, postgres: Postgres) -> None:
    url = postgres.create_database("to_drop", owner="to_drop", password="x y")
    action, change = planned("postgres.drop", host, database=url)

    now = acting(host)
    action.apply(now, change)
    action.apply(now, change)
    action.verify(now, change)

    assert change.summary.startswith("drop to_drop on ")
    assert action.plan(host).effect is Effect.NONE
    postgres.sql('DROP ROLE "to_drop"')


def test_who_is_connected_keeps_a_database_from_being_dropped(
    host: Host, postgres: Postgres, database: str
) -> None:
    import psycopg  # noqa: PLC0415 - a driver only this test needs

    action, change = planned("postgres.drop", host, database=database)
    with psycopg.connect(database), pytest.raises(ActionFailed, match=r"is being accessed|55006"):
        action.apply(acting(host), change)


def test_what_is_scheduled_is_found_by_a_word_of_it(host: Host) -> None:
    lines = [e.line for e in parse_entries(host.do(entries()))]
    word = lines[0].split()[-1] if lines else "run-parts"

    action, change = planned("cron.mentions", host, words=[word])
    nothing = build("cron.mentions", {"words": ["no-such-program"]})

    assert bool(lines) == (": " in change.summary)
    assert [f.severity for f in action.check(host)] == [Severity.WARN if lines else Severity.PASS]
    assert nothing.plan(host).summary == "nothing scheduled mentions no-such-program"
