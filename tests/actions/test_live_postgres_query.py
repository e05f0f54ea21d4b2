"""Questions to a real PostgreSQL."""

from __future__ import annotations

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.findings import Severity
from tests.actions.database_host import done
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.live


def failures(host: Host, **params: object) -> list[str]:
    findings = build("postgres.reachable", params).check(host)
    return [f.message for f in findings if f.severity is Severity.FAIL]


def test_an_answer_is_compared(database: str, host: Host) -> None:
    done(
        host,
        "postgres.query",
        database=database,
        sql="SELECT 1, 'a' UNION SELECT 2, 'b' ORDER BY 1",
        expect="1|a\n2|b",
    )
    done(
        host, "postgres.query", database=database, sql="SELECT version();", matches="PostgreSQL .*"
    )

    with pytest.raises(ActionFailed, match="answered '1', expected '2'"):
        done(host, "postgres.query", database=database, sql="SELECT 1", expect="2")


def test_a_question_may_not_write(database: str, host: Host) -> None:
    with pytest.raises(ActionFailed, match="read-only transaction"):
        done(host, "postgres.query", database=database, sql="CREATE TABLE t (a int)")


def test_a_database_is_judged(database: str, host: Host) -> None:
    done(host, "postgres.reachable", database=database, oldest=12, extensions=["uuid-ossp"])

    assert ", wanted 99 or newer" in failures(host, database=database, oldest=99)[0]
    assert (
        "only a superuser may create the extension file_fdw"
        in failures(host, database=database, extensions=["file_fdw"])[0]
    )
    assert (
        "does not have the extension nonsense"
        in failures(host, database=database, extensions=["nonsense"])[0]
    )


def test_a_password_of_any_characters_goes_through_every_spelling_of_a_url(
    postgres: Postgres, host: Host
) -> None:
    password = "a:b\\c@d/e?f#g h'i\"j%41+ü$(x)`y`"
    quoted = password.replace("'", "''")
    postgres.sql(f"CREATE ROLE \"odd user\" LOGIN PASSWORD '{quoted}'")
    try:
        for scheme in ("postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg"):
            url = postgres.url_for("odd%20user", password, "postgres", scheme)
            done(host, "postgres.query", database=url, sql="SELECT current_user", expect="odd user")
    finally:
        postgres.sql('DROP ROLE "odd user"')


def test_a_server_that_is_not_there_is_told_with_a_remedy(host: Host) -> None:
    (finding,) = build("postgres.reachable", {"database": "postgresql://a:b@127.0.0.1:1/x"}).check(
        host
    )

    assert "Connection refused" in finding.message
    assert finding.remedy
