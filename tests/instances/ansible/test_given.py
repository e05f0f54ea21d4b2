"""What the command line said: kept for `resume` and `undo`, asked of hosts when it is needed."""

from __future__ import annotations

import getpass
import stat
from pathlib import Path

import pytest

from changeover.engine.facts import host_facts
from changeover.errors import InvalidInput
from changeover.hosts.connect import connect
from changeover.instances.given import FACTS, Facts, Given, completed, keep_given, recall_given
from changeover.model.instance import HostSpec


def test_what_a_run_began_with_is_there_for_the_next_command(tmp_path: Path) -> None:
    keep_given(tmp_path, Given(("git_version=v1", '{"a": 1}'), ("team@/etc/password",)))

    assert recall_given(tmp_path).extra == ("git_version=v1", '{"a": 1}')
    assert recall_given(tmp_path).password_files == ("team@/etc/password",)
    assert stat.S_IMODE((tmp_path / "given.json").stat().st_mode) == 0o600


def test_files_a_run_began_with_are_found_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keep_given(tmp_path, Given(("@more.yml",), ("team@password", "plain")))

    assert recall_given(tmp_path).extra == (f"@{tmp_path}/more.yml",)
    assert recall_given(tmp_path).password_files == (
        f"team@{tmp_path}/password",
        f"{tmp_path}/plain",
    )


def test_a_run_that_was_given_nothing_forgets_what_an_earlier_one_was(tmp_path: Path) -> None:
    keep_given(tmp_path, Given(("git_version=v1",)))
    keep_given(tmp_path, Given())

    assert recall_given(tmp_path).extra == ()


def test_a_command_that_takes_no_words_goes_on_with_those_of_the_run(tmp_path: Path) -> None:
    keep_given(tmp_path, Given(("git_version=v1",)))

    assert completed(None, tmp_path).extra == ("git_version=v1",)
    assert completed(Given(None, ("password",)), tmp_path).extra == ("git_version=v1",)
    assert completed(Given(()), tmp_path).extra == ()


def test_files_of_variables_are_for_ansible_environments_alone() -> None:
    with pytest.raises(InvalidInput, match="only an Ansible environment takes this"):
        Given(("@more.yml",)).refuse_forms()


def test_a_host_is_asked_once() -> None:
    asked: list[str] = []

    def ask(host: str, _as_root: bool) -> dict[str, str]:
        asked.append(host)
        return {}

    facts = Facts(ask)
    facts.of("web1")
    facts.of("web1")

    assert asked == ["web1"]


@pytest.mark.live
def test_a_host_tells_what_ansible_would_know_of_it() -> None:
    host = connect(HostSpec("here", transport="local"))
    try:
        facts = host_facts(host, as_root=False)
    finally:
        host.transport.close()

    assert facts["ansible_env"]["HOME"] == str(Path.home())
    assert facts["ansible_user_id"] == getpass.getuser()
    assert facts["ansible_facts"]["env"]["HOME"] == str(Path.home())
    assert set(facts["ansible_facts"]) == set(FACTS)
    assert facts["ansible_processor_nproc"] >= 1
