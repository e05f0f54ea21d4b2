"""Secrets of an environment: the way to its vault, and none of them shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from changeover.errors import InvalidInput, InvalidInstance
from changeover.instances.folder import open_instance
from changeover.instances.given import Given
from tests.instances.ansible.opened import HOME, given, said
from tests.instances.ansible.project import make_project


@pytest.fixture
def environments(tmp_path: Path) -> Path:
    return make_project(tmp_path) / "environments"


def test_a_secret_in_clear_is_worth_a_word(environments: Path) -> None:
    instance, _ = open_instance(environments / "odd", given=given())

    assert any("database_url stands there in clear" in f.message for f in instance.remarks)


def test_a_secret_on_the_command_line_is_refused(environments: Path) -> None:
    with pytest.raises(InvalidInput, match=r"secret_key=\.\.\.: is a secret") as refused:
        open_instance(environments / "prod", given=given("secret_key=hunter22"))

    assert "hunter22" not in said(refused.value)


def test_every_value_of_the_vault_is_told_to_the_masker_before_anything_else(
    environments: Path,
) -> None:
    learnt: list[str] = []

    _, secrets = open_instance(environments / "prod", learnt.append, given())
    client = dict(secrets)["datapass_client_id"]

    assert "x7#q$w%e&r(t*y_u-i=o+p!a@s^d" in learnt
    assert "mdp!des?caractères" in learnt
    assert "un mot de passe" in "".join(learnt)
    assert client == "catalogue"
    assert not {"192.0.2.10", client} & set(learnt)


def test_a_value_that_looks_like_a_template_is_given_on_as_it_is(environments: Path) -> None:
    _, secrets = open_instance(environments / "staging", given=given())

    assert secrets["secret_key"] == "raw {{ not a template }}"


def test_without_its_password_a_vault_is_named_and_the_way_to_it(environments: Path) -> None:
    (environments.parent / "vault-password").unlink()

    with pytest.raises(InvalidInstance, match="no vault password is at hand") as refused:
        open_instance(environments / "prod", given=given())

    assert "vault-password" in refused.value.remedy


def test_an_executable_password_file_is_executed(environments: Path) -> None:
    file = environments.parent / "vault-password"
    file.write_text("#!/bin/sh\necho 'correct horse'\n")
    file.chmod(0o755)

    _, secrets = open_instance(environments / "prod", given=given())

    assert secrets["datapass_client_secret"] == "9f8e7d6c5b4a39281706f5e4d3c2b1a0"


@pytest.mark.parametrize("way", ["option", "environment", "ansible.cfg", "identity list"])
def test_the_vault_password_is_found_wherever_ansible_would(
    environments: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ansible = environments.parent
    secret = ansible.parent / "the password"
    shutil.move(ansible / "vault-password", secret)
    config = ansible / "ansible.cfg"
    words: tuple[str, ...] = ()
    if way == "option":
        words = (f"prod@{secret}",)
    elif way == "environment":
        monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(secret))
    elif way == "ansible.cfg":
        config.write_text("[defaults]\nvault_password_file = ../the password\n")
    else:
        config.write_text("[defaults]\nvault_identity_list = prod@../the password ; and no other\n")

    _, secrets = open_instance(environments / "prod", given=Given((), words, HOME))

    assert secrets["datapass_client_id"] == "catalogue"
