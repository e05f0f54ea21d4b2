"""Settings that are written into a file as somebody gave them."""

from __future__ import annotations

import pytest

from changeover.merge.given import with_setting
from changeover.merge.verdict import Unreadable


@pytest.mark.parametrize(
    ("name", "text", "path", "literal", "wanted"),
    [
        ("a.toml", "a = 1\n[x]\nb=2\n", "x.c", "'q'", "a = 1\n[x]\nb=2\nc = 'q'\n"),
        ("a.yml", "a:\n  b: 1\n", "a.c", "[1, 2]", "a:\n  b: 1\n  c: [1, 2]\n"),
        ("a.json", '{"a": 1}\n', "b", '"x"', '{"a": 1, "b": "x"}\n'),
        (".env", "A=1", "B", '"two words"', 'A=1\nB="two words"'),
        (".env", "A=1\nB=\nC=2\n", "B", "x", "A=1\nB=x\nC=2\n"),
        ("a.ini", "[p]\na=1\n\n[q]\n", "p.b", "x y", "[p]\na=1\nb = x y\n\n[q]\n"),
        (
            "/etc/nginx/a",
            "server {\n listen 80;\n}\n",
            "server.server_name",
            "x.org",
            "server {\n listen 80;\n server_name x.org;\n}\n",
        ),
    ],
)
def test_a_setting_is_spelled_as_its_format_spells_it(
    name: str, text: str, path: str, literal: str, wanted: str
) -> None:
    assert with_setting(text.encode(), path, literal, name=name).decode() == wanted


@pytest.mark.parametrize(
    ("name", "text", "path", "literal"),
    [("a.toml", "a = 1\n", "b", "no value"), ("a.toml", "a = 1\n", "a.b", "1")],
)
def test_what_is_no_value_is_refused(name: str, text: str, path: str, literal: str) -> None:
    with pytest.raises(Unreadable):
        with_setting(text.encode(), path, literal, name=name)
