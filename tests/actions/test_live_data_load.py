"""data.load with a real PostgreSQL and a small tool of a platform."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.instances.ansible.vault import Password, encrypt
from changeover.model.findings import Severity
from changeover.model.plan import Effect
from tests.actions.database_host import attempt, done, planned_undo, undone

pytestmark = pytest.mark.live

TOOL = r"""#!/bin/sh
# Loads `- {email: E, team: T}` lines; with --reset, teams come from the file again.
set -eu
file=$1; shift
[ "$(stat -c %a "$file")" = 600 ]
reset=NOTHING; [ "${1-}" != --reset ] || reset='UPDATE SET team = excluded.team'
sed -n 's/^- {email: \(.*\), team: \(.*\)}$/\1 \2/p' "$file" | while read -r email team; do
  psql -XAtq -v ON_ERROR_STOP=1 -d "$(cat url)" \
    -c "INSERT INTO person VALUES ('$email', '$team') ON CONFLICT (email) DO $reset"
done
"""
PEOPLE = "people:\n- {email: ann@x.example, team: red}\n- {email: bob@x.example, team: blue}\n"


@pytest.fixture
def url(tmp_path: Path, database: str) -> str:
    url = database
    (tmp_path / "load").write_text(TOOL)
    (tmp_path / "load").chmod(0o755)
    (tmp_path / "url").write_text(url)
    sql(url, "CREATE TABLE person (email text PRIMARY KEY, team text)")
    sql(url, "INSERT INTO person VALUES ('ann@x.example', 'green')")
    return url


def sql(url: str, statements: str) -> str:
    words = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statements]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def params(folder: Path, url: str, text: str = PEOPLE, **more: Any) -> dict[str, Any]:
    (folder / "people.yml").write_text(text)
    person = {"items": "people[]", "key": "email", "present": "SELECT email FROM person"}
    return {
        "file": "people.yml",
        "beside": str(folder),
        "database": url,
        "path": str(folder / "run" / "people.yml"),
        "words": ["./load", "{file}"],
        "cwd": str(folder),
        "kinds": [{**person, "resets": True}],
        "unique": ["people[].email"],
        "backup": "none",
        **more,
    }


def test_what_is_there_is_kept_and_the_rest_created_once(
    host: Host, url: str, tmp_path: Path
) -> None:
    change = done(host, "data.load", **params(tmp_path, url))

    assert change.summary == "load people.yml: people: create 1, keep 1"
    assert change.diff == "+ people bob@x.example\n  people ann@x.example (kept)\n"
    assert sql(url, "SELECT * FROM person ORDER BY 1") == "ann@x.example|green\nbob@x.example|blue"
    assert not (tmp_path / "run" / "people.yml").exists()
    assert done(host, "data.load", **params(tmp_path, url)).effect is Effect.NONE


def test_a_sealed_file_is_opened_with_the_passwords_the_command_names(
    host: Host, url: str, tmp_path: Path
) -> None:
    (tmp_path / "named").write_text("open sesame\n")
    sealed = encrypt(PEOPLE.encode(), Password(b"open sesame"))
    unnamed = build("data.load", params(tmp_path, url, sealed))

    change = done(
        host, "data.load", **params(tmp_path, url, sealed, passwords=[f"{tmp_path}/named"])
    )

    assert [f.severity for f in unnamed.check(attempt(host))] == [Severity.FAIL]
    assert change.summary == "load people.yml: people: create 1, keep 1"


def test_reset_brings_back_what_the_file_says_and_undo_what_was(
    host: Host, url: str, tmp_path: Path
) -> None:
    done(host, "postgres.backup", database=url, backup="kept")
    given = params(tmp_path, url, reset=True, backup="kept")

    change = done(host, "data.load", **given)

    assert "! people ann@x.example (reset)" in change.diff
    assert sql(url, "SELECT team FROM person ORDER BY email") == "red\nblue"
    action = build("data.load", given)
    assert "restore" in planned_undo(host, action, change).summary
    undone(host, action, change)
    assert sql(url, "SELECT * FROM person") == "ann@x.example|green"


def test_nothing_is_written_where_one_defect_is_left(host: Host, url: str, tmp_path: Path) -> None:
    text = PEOPLE + "- {email: bob@x.example, team: yes}\n- {email: eve@x.example, team: black}\n"
    schema = {"properties": {"people": {"items": {"properties": {"team": {"type": "string"}}}}}}
    known = {"of": "people[].team", "among": ["red", "blue", "yes"], "what": "no such team"}
    given = params(tmp_path, url, text, schema=schema, references=[known])
    action, seen = build("data.load", given), attempt(host)

    findings = list(action.check(seen))
    with pytest.raises(ActionFailed, match=r"people.yml:4:11: .* stands at people\[1\].email"):
        action.apply(seen, action.plan(seen))

    assert [f.message for f in findings if f.severity is Severity.FAIL] == [
        "people.yml:4:11: people[2].email: bob@x.example stands at people[1].email already",
        "people.yml:4:32: people[2].team: yes without quotes is read as True",
        "people.yml:5:32: people[3].team: black: no such team",
    ]
    assert sql(url, "SELECT count(*) FROM person") == "1"


def test_a_tool_that_fails_or_does_nothing_is_told(host: Host, url: str, tmp_path: Path) -> None:
    with pytest.raises(ActionFailed, match="the tool failed: boom"):
        done(
            host,
            "data.load",
            **params(tmp_path, url, words=["sh", "-c", "echo boom; exit 3; {file}"]),
        )
    with pytest.raises(ActionFailed, match=r"not there: people bob@x\.example"):
        done(host, "data.load", **params(tmp_path, url, words=["true", "{file}"]))
