"""Values written for programs are read back by those programs' own rules, and by themselves."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.instances.consumers import CONSUMERS, troublesome
from tests.servers.nginx import Nginx
from tests.servers.program import free_port

BY_NAME = {consumer.name: consumer for consumer in CONSUMERS}
VALUES = [
    "abc", "a#b", "x #y", "a$b", "a${HOME}b", "a%b", 'a"b', "a'b", "a\\b", "a\\nb", "a`b`", "a\nb",
    "a b;c", " ends ", "'q'", "é€", "%%", "a\\", "$(id)", "!x", "{}", "a: b",
]  # fmt: skip


@pytest.mark.parametrize(
    ("consumer", "breaks"),
    [
        ("dotenv", {"a${HOME}b"}),
        ("shell", set()),
        ("yaml", set()),
        ("supervisor", {"x #y", "a\nb", "'q'"}),
        ("nginx", {"a$b", "a${HOME}b", "$(id)"}),
    ],
)
def test_written_with_care_only_these_do_not_come_back(consumer: str, breaks: set[str]) -> None:
    lost = {value for value in VALUES if not BY_NAME[consumer].takes(value)}

    assert lost == breaks


@pytest.mark.parametrize(
    ("consumer", "value"),
    [
        ("dotenv", 'a"b'), ("dotenv", "a\\nb"), ("shell", "a$b"), ("shell", "a`b`"),
        ("supervisor", "a%b"), ("supervisor", 'a"b'), ("yaml", "a\\b"), ("nginx", "a\\nb"),
    ],
)  # fmt: skip
def test_in_plain_quotes_more_is_lost(consumer: str, value: str) -> None:
    assert BY_NAME[consumer].takes(value)
    assert not BY_NAME[consumer].takes_plain(value)


def test_nothing_in_a_value_is_executed(tmp_path: Path) -> None:
    trap = tmp_path / "executed"

    for consumer in CONSUMERS:
        for value in (f"$(touch {trap})", f"`touch {trap}`", f"';touch {trap};'"):
            consumer.takes(value)
            consumer.takes_plain(value)

    assert not trap.exists()


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=30))
def test_yaml_takes_every_text(value: str) -> None:
    assert BY_NAME["yaml"].takes(value)


def test_troublesome_characters_are_named_and_values_are_not() -> None:
    assert troublesome("se#cr$et\n") == "# $ newline"
    assert troublesome(" secret ") == "its ends"


SUPERVISOR = """
import json, sys
from supervisor.datatypes import dict_of_key_value_pairs
from supervisor.options import UnhosedConfigParser, expand
found = []
for text in json.load(sys.stdin):
    try:
        parser = UnhosedConfigParser()
        parser.read_string(text)
        pairs = dict_of_key_value_pairs(expand(parser.get("program:x", "environment"), {}, "x"))
    except Exception:
        pairs = {}
    found.append(pairs.get("X") if len(pairs) == 1 else None)
json.dump(found, sys.stdout)
"""


@pytest.mark.live
def test_supervisor_itself_reads_what_we_say_it_reads() -> None:
    consumer = BY_NAME["supervisor"]
    texts = [spell(value) for value in VALUES for spell in (consumer.careful, consumer.plain)]

    done = subprocess.run(
        ["/usr/bin/python3", "-c", SUPERVISOR],
        input=json.dumps(texts), capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert json.loads(done.stdout) == [consumer.read(text) for text in texts]


@pytest.mark.live
def test_nginx_itself_reads_what_we_say_it_reads(nginx: Nginx) -> None:
    consumer, port = BY_NAME["nginx"], free_port()
    words = [consumer.careful(value).removeprefix("set $x ") for value in VALUES]
    taken = [n for n, value in enumerate(VALUES) if consumer.takes(value)]
    places = [f"location = /{n} {{ return 200 {words[n]} }}\n" for n in taken]

    (nginx.sites / "x.conf").write_text(f"server {{ listen 127.0.0.1:{port};\n{''.join(places)}}}")
    nginx.reload()

    assert [answered(port, n) for n in taken] == [VALUES[n] for n in taken]
    for n in set(range(len(VALUES))) - {*taken}:
        (nginx.sites / "x.conf").write_text(f"server {{ return 200 {words[n]} }}")
        assert subprocess.run([*nginx.words, "-t"], capture_output=True, check=False).returncode


def answered(port: int, number: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{number}", timeout=10) as answer:
        return str(answer.read().decode())


def test_python_dotenv_is_what_reads_dotenv_files() -> None:
    assert BY_NAME["dotenv"].read('X="a"\nX=b\n') == "b"
