"""What may be shown of settings."""

from __future__ import annotations

import pytest

from changeover.merge.masking import (
    HIDDEN,
    is_hidden,
    masked_conflict,
    masked_file,
    masked_lines,
)
from changeover.merge.verdict import Conflict, Side


@pytest.mark.parametrize(
    ("path", "secrets", "hidden"),
    [
        ("db.password", (), True),
        ("db.port", (), False),
        ("mail.pin", ("mail.pin",), True),
        ("mail.pin.old", ("mail.pin",), True),
        ("mail", ("mail.pin",), False),
        ("server.location /.proxy_pass", (), False),
        ("http.server_tokens", (), False),
        ("ftp.passive", (), False),
        ("proxy_password", (), True),
        ("db_pass", (), True),
        ("proxy_pass.token", (), True),
        ("users.bob.pin", ("users.*.pin",), True),
        ('plugins."io.x".pin', ('plugins."io.x".pin',), True),
    ],
)
def test_a_secret_is_known_by_its_name_or_by_what_the_release_says(
    path: str, secrets: tuple[str, ...], hidden: bool
) -> None:
    assert is_hidden(path, secrets) is hidden


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("url = postgres://bob:hush@db/x", f"url = postgres://bob:{HIDDEN}@db/x"),
        ("  password: hush", f"  password: {HIDDEN}"),
        ('- "api_key": "hush",', f'- "api_key": {HIDDEN},'),
        ('environment=SECRET_KEY="hush",HOST="db"', f'environment=SECRET_KEY={HIDDEN},HOST="db"'),
        ("# password = hush", f"# password = {HIDDEN}"),
        ("ssl_password_file /etc/x;", f"ssl_password_file {HIDDEN}"),
        ("export TOKEN=hush", f"export TOKEN={HIDDEN}"),
        ("password = ab'cd#ef", f"password = {HIDDEN}"),
        (r'password = "ab\"cd"', f"password = {HIDDEN}"),
        ('password = "ab', f"password = {HIDDEN}"),
        ("port = 80", "port = 80"),
        ("pin 1234", f"pin {HIDDEN}"),
    ],
)
def test_lines_are_shown_without_the_values_of_secrets(text: str, shown: str) -> None:
    assert masked_lines(text, ("mail.pin",)) == shown


def test_a_conflict_about_a_table_hides_the_secrets_in_it() -> None:
    side = Side("[db]\nhost = 1\npassword = hush\n", 3)

    shown = masked_conflict(Conflict("db", "changed", side, None, side))

    assert shown.ours is None
    assert shown.base is not None
    assert shown.base.text == f"[db]\nhost = 1\npassword = {HIDDEN}\n"
    assert shown.base.line == 3


def test_a_file_hides_what_is_secret_by_its_whole_path_and_what_spans_lines() -> None:
    text = '[mail]\npin = 1234\n[door]\npin = 5\n[db]\npassword = """\nhush\n"""\n'

    shown = masked_file(text.encode(), "toml", "a.toml", ("mail.pin",)).decode()

    assert "1234" not in shown
    assert "hush" not in shown
    assert "[door]" in shown


def test_a_file_that_cannot_be_read_is_masked_line_by_line() -> None:
    shown = masked_file(b"[db\npassword = hush\nport = 1\n", "toml", "a.toml")

    assert shown.decode() == f"[db\npassword = {HIDDEN}\nport = 1\n"
