"""Backups and restores against a real PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.findings import Severity
from changeover.tools.psql import literal
from tests.actions.database_host import NASTY, attempt, done, look
from tests.servers.postgres import Postgres
from tests.servers.program import await_outcome

pytestmark = pytest.mark.live

PASSWORD = "p:a\\s s'w/o@rd%"


@dataclass(frozen=True)
class Shop:
    """A database of its own, full of odd things, and the role that owns it."""

    server: Postgres
    name: str
    url: str

    def sql(self, statements: str) -> str:
        return self.server.sql(statements, self.name)

    def as_owner(self, statements: str) -> None:
        words = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url]
        subprocess.run(
            words, input=f"SET client_min_messages = error; {statements}".encode(), check=True
        )


@pytest.fixture
def shop(postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A database without anything in it."""
    yield from new_shop(postgres, f"shöp-{abs(hash(request.node.nodeid)) % 10**9}", "template0")


@pytest.fixture
def odd(postgres: Postgres, request: pytest.FixtureRequest, template: str) -> Iterator[Shop]:
    """A database full of odd things."""
    yield from new_shop(postgres, f"ödd-{abs(hash(request.node.nodeid)) % 10**9}", template)


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> Iterator[str]:
    postgres.sql(f"CREATE ROLE keeper LOGIN CREATEDB PASSWORD {literal(PASSWORD)}")
    postgres.sql("CREATE DATABASE template_odd OWNER keeper")
    url = postgres.url_for("keeper", PASSWORD, "template_odd")
    words = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url]
    subprocess.run(words, input=NASTY.encode(), check=True, capture_output=True)
    yield "template_odd"
    postgres.sql("DROP DATABASE template_odd; ")
    postgres.sql("DROP OWNED BY keeper; DROP ROLE keeper")


def new_shop(server: Postgres, name: str, template: str) -> Iterator[Shop]:
    odd = template != "template0"
    owner = "keeper" if odd else name
    if not odd:
        server.sql(f'CREATE ROLE "{name}" LOGIN CREATEDB PASSWORD {literal(PASSWORD)}')
    server.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER "{owner}"')
    yield Shop(server, name, server.url_for(owner, PASSWORD, name))
    for word in ("", "_changeover_new", "_changeover_old", "_changeover_scratch"):
        server.drop_database(name + word)
    server.sql("ALTER ROLE keeper CREATEDB" if odd else f'DROP ROLE "{name}"')


def same(found: list[str], wanted: list[str]) -> bool:
    return found == wanted  # without pytest's comparison of two long lists


def databases(server: Postgres) -> list[str]:
    return server.sql("SELECT datname FROM pg_database ORDER BY 1").splitlines()


def test_an_odd_database_is_backed_up_verified_and_brought_back_one_for_one(
    odd: Shop, host: Host
) -> None:
    odd.sql(f"""ALTER DATABASE "{odd.name}" SET search_path = public, "Odd ""Schema'";
        ALTER ROLE keeper IN DATABASE "{odd.name}" SET work_mem = '7MB';
        COMMENT ON DATABASE "{odd.name}" IS 'the shop''s';
        GRANT TEMP ON DATABASE "{odd.name}" TO PUBLIC""")
    before = look(odd.server, odd.name)
    done(host, "postgres.backup", database=odd.url)
    odd.sql(
        "DROP TABLE big CASCADE; DELETE FROM measures;"
        "SELECT lo_unlink(oid) FROM pg_largeobject_metadata"
    )
    odd.sql(f'ALTER DATABASE "{odd.name}" RESET search_path')

    done(host, "postgres.restore", database=odd.url)

    assert same(look(odd.server, odd.name), before)
    asked = """SELECT setconfig, shobj_description(d.oid, 'pg_database') FROM pg_db_role_setting
        JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()
        ORDER BY setrole"""
    settings = odd.sql(asked).splitlines()
    assert "search_path=public" in settings[0]
    assert settings[1] == "{work_mem=7MB}|the shop's"
    assert [n for n in databases(odd.server) if n.startswith(odd.name)] == [odd.name]


def test_a_role_without_createdb_restores_in_one_transaction_in_place(
    odd: Shop, host: Host
) -> None:
    odd.server.sql("ALTER ROLE keeper NOCREATEDB")
    before = look(odd.server, odd.name)
    findings = list(build("postgres.backup", {"database": odd.url}).check(host))
    done(host, "postgres.backup", database=odd.url)
    odd.as_owner(
        "DROP TABLE big CASCADE; CREATE SCHEMA later; CREATE TABLE later.t (a mood);"
        "DELETE FROM child; CREATE EXTENSION hstore; CREATE FUNCTION f() RETURNS mood LANGUAGE sql"
        " AS $$ SELECT 'sad'::mood $$; DROP EXTENSION citext CASCADE"
    )

    done(host, "postgres.restore", database=odd.url)

    assert same(look(odd.server, odd.name), before)
    assert [f.severity for f in findings] == [Severity.PASS, Severity.WARN, Severity.PASS]


def test_a_backup_whose_restore_differs_is_not_called_verified(shop: Shop, host: Host) -> None:
    # A function that reads what a restore has not loaded yet gives another generated value.
    shop.sql("""CREATE TABLE t (a int); INSERT INTO t VALUES (1);
        CREATE FUNCTION n() RETURNS int LANGUAGE sql IMMUTABLE AS
          'SELECT nullif(current_database() ~ ''scratch'', true)::int';
        CREATE TABLE g (a int, b int GENERATED ALWAYS AS (n()) STORED); INSERT INTO g VALUES (1)""")
    shop.sql(
        f'ALTER TABLE t OWNER TO "{shop.name}"; ALTER TABLE g OWNER TO "{shop.name}";'
        f'ALTER FUNCTION n() OWNER TO "{shop.name}"'
    )

    with pytest.raises(ActionFailed, match=r"restored backup differs: rows of public\.g"):
        done(host, "postgres.backup", database=shop.url)

    with pytest.raises(ActionFailed, match="no verified backup"):
        build("postgres.restore", {"database": shop.url}).plan(host)


def test_writers_do_not_disturb_a_backup(odd: Shop, host: Host) -> None:
    stopped = threading.Event()

    def write() -> None:
        while not stopped.is_set():
            odd.sql(
                "INSERT INTO big (txt) VALUES ('new'); UPDATE hen SET egg = 1;"
                "SELECT nextval('lonely')"
            )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        done(host, "postgres.backup", database=odd.url, format="directory", jobs=2)
    finally:
        stopped.set()
        writer.join()


def test_a_restore_names_the_rows_it_would_drop(shop: Shop, host: Host) -> None:
    shop.as_owner("CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1), (2)")
    shop.as_owner("CREATE TABLE quiet (id int)")
    done(host, "postgres.backup", database=shop.url)
    restore = build("postgres.restore", {"database": shop.url})
    silent = restore.plan(host)
    shop.sql("INSERT INTO orders VALUES (7), (8); DELETE FROM orders WHERE id = 1")

    change = restore.plan(host)

    assert silent.question == ""
    assert "public.orders: 2 written (7, 8), 1 changed or deleted. Go on?" in change.question


def test_a_truncated_backup_is_refused(shop: Shop, host: Host) -> None:
    done(host, "postgres.backup", database=shop.url)
    (dump,) = Path(host.state_dir).glob("backups/*/*.dump")
    dump.write_bytes(dump.read_bytes()[:-10])

    (found,) = build("postgres.restore", {"database": shop.url}).check(host)

    assert found.severity is Severity.FAIL
    assert "its digest differs" in found.message


def test_the_latest_verified_backups_stay(shop: Shop, host: Host) -> None:
    for _ in range(4):
        done(host, "postgres.backup", database=shop.url, keep=2)

    assert len(list(Path(host.state_dir).glob("backups/*/*.dump"))) == 2
    assert {f.stat().st_mode & 0o777 for f in Path(host.state_dir).glob("backups/*/*")} == {0o600}


def test_a_wrong_password_says_so(shop: Shop, host: Host) -> None:
    url = shop.server.url_for(shop.name, "nonsense-word", shop.name)

    (finding,) = build("postgres.backup", {"database": url}).check(host)

    assert "password authentication failed" in finding.message
    assert "nonsense-word" not in finding.message + finding.remedy


def test_a_table_nobody_may_read_fails_the_check(shop: Shop, host: Host) -> None:
    shop.sql("CREATE TABLE secret (a int); REVOKE ALL ON secret FROM PUBLIC")

    findings = build("postgres.backup", {"database": shop.url}).check(host)

    assert [f.message for f in findings if f.severity is Severity.FAIL] == [
        f"1 tables of {shop.name} on 127.0.0.1:{shop.server.port} may not be read"
    ]


@pytest.mark.parametrize("delay", [0.1, 0.5, 1.0])
def test_a_restore_killed_at_any_moment_can_be_repeated(
    odd: Shop, host: Host, delay: float
) -> None:
    before = look(odd.server, odd.name)
    done(host, "postgres.backup", database=odd.url, verify_by="archive")
    odd.sql("DROP TABLE big CASCADE")
    broken = look(odd.server, odd.name)
    restore = build("postgres.restore", {"database": odd.url})
    change = restore.plan(host)
    victim = subprocess.Popen(
        [*apply_elsewhere(), host.state_dir, odd.url, repr(dict(change.before))],
        start_new_session=True, env={**os.environ, "PYTHONPATH": "src:."},
    )  # fmt: skip
    await_outcome(lambda: bool(started(odd)) or victim.poll() is not None, 30)
    with contextlib.suppress(subprocess.TimeoutExpired):
        victim.wait(delay)  # the moment of the kill is what this test varies
    with contextlib.suppress(ProcessLookupError):
        os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()

    # What the kill left is the old content or the new one, whole.
    assert look_when_open(odd) in (before, broken)
    seen = attempt(host)
    restore.apply(seen, change)
    restore.verify(seen, change)

    assert same(look(odd.server, odd.name), before)
    assert [n for n in databases(odd.server) if n.startswith(odd.name)] == [odd.name]


def started(shop: Shop) -> str:
    return "yes" * (f"{shop.name}_changeover_new" in databases(shop.server))


def apply_elsewhere() -> list[str]:
    return [sys.executable, "-m", "tests.actions.restore_alone"]


def look_when_open(shop: Shop) -> list[str]:
    shop.server.sql(f'ALTER DATABASE "{shop.name}" ALLOW_CONNECTIONS true')
    return look(shop.server, shop.name)
