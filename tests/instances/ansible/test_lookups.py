"""What variables ask of this machine: what fails is said, with what helps.

What succeeds is compared with Ansible itself (`environments/odd/group_vars/web/usual.yml`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from changeover.errors import InvalidInput
from changeover.instances.ansible.jinja import Style
from changeover.instances.ansible.scope import Around, Layer, Scope
from changeover.instances.given import Facts
from tests.servers.program import await_outcome


def scope(folder: Path, **values: str) -> Scope:
    around = Around(lambda content, _where: content, Facts(), folder, lambda _text: None)
    return Scope("web1", [Layer("vars.yml", values)], {}, around, Style.NATIVE)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("lookup('pipe', 'echo no luck >&2; exit 3')", "exited 3: no luck"),
        ("lookup('first_found', ['one.yml', 'two.yml'])", "none of one.yml, two.yml"),
        ("lookup('file', 'nothing.txt')", "nothing.txt: no such file"),
        ("lookup('vars', 'nobody')", "`nobody` is not defined"),
        ("lookup('community.general.passwordstore', 'x')", "lookup `passwordstore` is not done"),
        ("'1.0' is version('1.0', '~>')", "`~>` compares nothing"),
        ("'1.x' is version('1.2', '<', version_type='semver')", "`1.x` is not semantic"),
        ("'ten' | human_to_bytes", "`ten` is no size"),
        ("{} | combine({}, list_merge='mix')", "list_merge mix"),
        ("[{'k': 1}, {'k': 1}] | rekey_on_member('k')", "1 is there twice"),
        ("[{'a': 1}] | subelements('b')", "b is missing"),
    ],
)
def test_what_cannot_be_found_or_read_is_said(tmp_path: Path, asked: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        scope(tmp_path, x="{{ " + asked + " }}")["x"]

    assert said in refused.value.message
    assert refused.value.message.startswith("vars.yml: x: ")


def test_a_command_and_what_it_started_end_at_their_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("changeover.instances.ansible.lookups.LIMIT", 2)
    with pytest.raises(InvalidInput, match="took more than"):
        scope(tmp_path, x="{{ lookup('pipe', 'sleep 600 & echo $! > child; sleep 600') }}")["x"]

    child = Path("/proc", (tmp_path / "child").read_text().strip())
    assert await_outcome(lambda: not child.exists() or "(zombie)" in _status(child), 30)


def _status(process: Path) -> str:
    try:
        return (process / "status").read_text()
    except OSError:
        return "(zombie)"


def test_files_are_looked_for_where_the_playbook_is(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "key.pub").write_text("ssh-ed25519 AAAA\n")
    (tmp_path / "second.yml").touch()
    asked = scope(
        tmp_path,
        key="{{ lookup('file', 'key.pub') }}",
        keys="{{ lookup('fileglob', '*.pub') | basename }}",
        first="{{ lookup('first_found', {'files': ['first.yml', 'second.yml']}) | basename }}",
        there="{{ lookup('pipe', 'pwd') }}",
        nothing="{{ lookup('file', 'gone', errors='ignore') is none }}",
    )

    assert asked["key"] == "ssh-ed25519 AAAA"
    assert asked["keys"] == "key.pub"
    assert asked["first"] == "second.yml"
    assert asked["there"] == str(tmp_path)
    assert asked["nothing"] is True
