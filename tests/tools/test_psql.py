"""Database URLs, what psql says, and where statements end."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.errors import InvalidInput
from changeover.tools.psql import Database, literal, parse_trouble, parse_url, session
from changeover.tools.sql import statements

PLAIN = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), min_size=1)


@pytest.mark.parametrize(
    ("url", "conninfo"),
    [
        ("postgresql://shop:x@db:5433/shop", "host=db port=5433 user=shop dbname=shop"),
        ("postgres://shop@db/shop", "host=db user=shop dbname=shop"),
        (
            "postgresql+asyncpg://s:p%40%2F@db/shop?ssl=require",
            "host=db sslmode=require user=s dbname=shop",
        ),
        ("postgresql+psycopg://s@db/shop?prepared=0", "host=db user=s dbname=shop"),
        ("postgresql:///shop?host=/run/postgresql", "host=/run/postgresql dbname=shop"),
        ("postgresql://s@%2Frun%2Fpg/shop", "host=/run/pg user=s dbname=shop"),
        ("postgresql://s@[::1]:5432/a%20b", "host=::1 port=5432 user=s dbname='a b'"),
        ("postgresql://s@a:1,b:2/x", "host=a,b port=1,2 user=s dbname=x"),
        ("postgresql://s@db", "host=db user=s dbname=s"),
        ("postgresql://a%27b%5C@db/x", r"host=db user='a\'b\\' dbname=x"),
    ],
)
def test_a_url_becomes_what_libpq_reads(url: str, conninfo: str) -> None:
    assert parse_url(url).conninfo == conninfo


@pytest.mark.parametrize(
    "url",
    ["", "mysql://a/b", "postgresql://", "postgresql://u:hidden/word@db/x", "postgresql://u:a%0Ab@db/x",
     "postgresql://u:p@db/x?sslpassword=hidden", "postgresql://u:p@db:port/x"],
)  # fmt: skip
def test_a_url_that_is_wrong_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_url(url)

    assert "hidden" not in f"{caught.value} {caught.value.remedy}"
    assert caught.value.remedy


@given(PLAIN, PLAIN)
def test_any_user_and_password_survive_a_url(user: str, password: str) -> None:
    url = f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@db/x"

    found = parse_url(url)

    assert (found.user, found.password) == (user, password)
    assert "password" not in repr(found)


def test_a_password_is_in_no_word_of_a_command() -> None:
    database = Database("x", "shop", "hidden-word")

    made = session("title", "true\n", database.conninfo, reached=[database])

    assert "hidden-word" not in str(made)
    assert b"*:*:*:shop:hidden-word\n" in made.stdin


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ('psql:<stdin>:7: ERROR:  42P01: relation "x" does not exist\nLINE 2: INSERT\n', "42P01 2"),
        ("psql:<stdin>:7: FEHLER:  23505: doppelt\nDETAIL:  x\nLOCATION:  y\n", "23505 0"),
        ("psql:<stdin>:1: NOTICE:  00000: da\npsql:<stdin>:9: ERROR:  57P01: ended\n", "57P01 0"),
        ("psql: error: could not connect\n\tIs it running?\n", " 0"),
        ("", " 0"),
    ],
)
def test_the_reason_is_found_in_any_language(stderr: str, said: str) -> None:
    trouble = parse_trouble(stderr)

    assert f"{trouble.code} {trouble.line}" == said


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("SELECT 1; SELECT 2", 2),
        ("SELECT ';'; -- ; no\n/* ; /* ; */ ; */ SELECT \";\";", 2),
        ("SELECT $a$;$$;$a$; SELECT E'\\';'; SELECT a$b; ", 3),
        (" ;; \n -- nothing\n", 0),
        ("SELECT '", 1),
    ],
)
def test_statements_end_at_their_semicolons(text: str, count: int) -> None:
    assert len(statements(text)) == count


@given(st.text(st.sampled_from("a;'\"$-/*\\ \nE")))
def test_any_text_is_split_without_losing_anything(text: str) -> None:
    found = statements(text)

    # One that ends with a comment would swallow what follows on its line.
    assert statements("\n;\n".join(found)) == found
    assert all(piece in text for piece in found)


@given(PLAIN)
def test_a_literal_ends_where_its_value_ends(value: str) -> None:
    assert statements(f"SELECT {literal(value)}; SELECT 2")[-1] == "SELECT 2"
