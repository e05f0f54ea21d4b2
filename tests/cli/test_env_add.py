"""`env add` asks, writes in the form of what is beside it, and says what is not there yet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from changeover.cli.main import changeover
from changeover.errors import InvalidInput, InvalidInstance
from changeover.instances.agefile import read_secrets, write_encrypted
from changeover.instances.folder import open_instance
from changeover.instances.sealed import Kind, kind_of, open_sealed
from tests.instances.ansible.project import make_project

GUIDES = Path(__file__).parents[2] / "guides/catalogage"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CHANGEOVER_INSTANCE", "CHANGEOVER_AGE_KEY_FILE", "ANSIBLE_CONFIG",
                 "ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_VAULT_IDENTITY_LIST"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def typed(folder: Path, *answers: str, options: tuple[str, ...] = ()) -> Result:
    said = "\n".join([*answers, ""])
    return CliRunner().invoke(changeover, ["env", "add", str(folder), *options], input=said)


def test_the_first_environment_is_an_instance_with_its_secrets_sealed(tmp_path: Path) -> None:
    folder = tmp_path / "environments" / "prod"

    result = typed(
        folder, "", "Where everybody works", "catalogage", "deploy@nobody.invalid",
        "catalogue.invalid", "main", "db.example/catalogue", "shop", "p ss/w", str(GUIDES),
        "Nuage", "ops@shop.example", "", "", "", "",
    )  # fmt: skip

    assert result.exception is None, (result.output, result.exception)
    described, secrets = open_instance(folder)
    assert described.name == "prod"
    assert described.description == "Where everybody works"
    assert described.deployed_from == "main"
    assert described.resources["vm"].contact == "ops@shop.example"
    assert described.hosts["nobody"].become == "sudo"
    assert described.endpoints[0].url == "https://catalogue.invalid/"
    assert secrets["database_url"] == "postgresql://shop:p%20ss%2Fw@db.example/catalogue"
    assert len(secrets["secret_key"]) == 50
    assert secrets["secret_key"] not in result.output
    said = " ".join(result.output.split())
    assert "name: the name nobody.invalid is not known" in said
    assert "catalogue.invalid: is not in DNS" in said
    assert "next: changeover run provision" in said
    assert isinstance(typed(folder).exception, InvalidInstance)


def test_beside_environments_of_ansible_it_is_one_of_them(tmp_path: Path) -> None:
    ansible = make_project(tmp_path)
    folder = ansible / "environments" / "preview"

    result = typed(
        folder, "", "For trials", "root@192.0.2.7", "http://preview.invalid", "next",
        "localhost/catalogue", "shop", "secret pass", "", "", "", "", options=("--no-check",),
    )  # fmt: skip

    assert result.exception is None, (result.output, result.exception)
    assert (folder / "hosts").read_text() == (
        "[web]\npreview.invalid ansible_host=192.0.2.7 ansible_user=root\n"
    )
    assert 'git_version: "next"' in (folder / "group_vars/web.yml").read_text()
    assert kind_of((folder / "secrets").read_bytes()) is Kind.VAULT
    text = open_sealed(folder / "secrets").text("secrets")
    assert 'database_url: "postgresql://shop:secret%20pass@localhost/catalogue"' in text
    assert 'description: "For trials"' in (folder / "changeover.yaml").read_text()
    assert "still to be filled: changeover secrets set datapass_client_id" in result.output
    for name in ("datapass_client_id", "datapass_client_secret", "sentry_dsn"):
        done = CliRunner().invoke(
            changeover, ["secrets", "set", name, "-i", str(folder)], input="something\n"
        )
        assert done.exception is None, done.output
    group = folder / "group_vars/web.yml"
    group.write_text(group.read_text() + "datapass_url: https://auth.example\n")
    assert open_instance(folder)[0].description == "For trials"


def test_one_beside_it_that_is_broken_is_not_in_the_way(tmp_path: Path) -> None:
    ansible = make_project(tmp_path)
    broken = ansible / "environments" / "aaa"
    (broken / "group_vars").mkdir(parents=True)
    (broken / "hosts.yml").write_text("web: {hosts: {a: {}}}\n")
    (broken / "group_vars/web.yml").write_text("database_url: database_url: x\n")
    folder = ansible / "environments" / "preview"

    result = typed(
        folder, "", "For trials", "root@192.0.2.7", "http://preview.invalid", "next",
        "", "", "", "", "", options=("--no-check",),
    )  # fmt: skip

    assert result.exception is None, (result.output, result.exception)
    assert "# datapass_url: as in " in (folder / "group_vars/web.yml").read_text()


def test_environments_of_ansible_are_listed_complete_or_not(tmp_path: Path) -> None:
    ansible = make_project(tmp_path)

    result = CliRunner().invoke(
        changeover, ["env", "list", str(ansible), "--offline", "-o", "json"]
    )

    listed = {each["name"]: each for each in json.loads(result.output)}
    assert {"prod", "staging", "demo", "test"} <= listed.keys()
    assert listed["prod"]["url"].startswith("https://")


ANSWERS = ("", "", "catalogage", "local", "https://shop.invalid", "main", "db/shop", "shop",
           "pass word", str(GUIDES), "", "", "", "")  # fmt: skip


def die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_one_that_was_killed_while_it_was_written_is_added_again_and_loses_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "prod"
    with monkeypatch.context() as dying:
        dying.setattr("changeover.instances.draft.secrets_text", die)
        killed = typed(folder, *ANSWERS, options=("--no-check",))
    assert not (folder / "instance.yaml").exists()
    write_encrypted(folder / "secrets.age", "other: kept\n")

    result = typed(folder, *ANSWERS, options=("--no-check",))

    assert killed.exit_code != 0
    assert result.exception is None, (result.output, result.exception)
    _, secrets = open_instance(folder)
    assert secrets["database_url"] == "postgresql://shop:pass%20word@db/shop"
    assert read_secrets(folder / "secrets.age")["other"] == "kept"


def test_one_of_ansible_that_was_killed_while_it_was_written_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project(tmp_path) / "environments" / "preview"
    answers = ("", "", "root@192.0.2.7", "http://preview.invalid", "next", "", "", "", "", "")
    with monkeypatch.context() as dying:
        dying.setattr("changeover.cli.env.ansible.write_sealed", die)
        typed(folder, *answers, options=("--no-check",))
    left = sorted(p.name for p in folder.parent.iterdir())

    result = typed(folder, *answers, options=("--no-check",))

    assert "preview" not in left
    assert ".preview.adding" not in left
    assert result.exception is None, (result.output, result.exception)
    assert (folder / "secrets").is_file()


def test_what_is_in_the_way_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ansible = make_project(tmp_path)
    (ansible / "vault-password").unlink()

    nowhere = typed(tmp_path / "file" / "prod", *ANSWERS)
    unsealed = typed(ansible / "environments" / "preview", *ANSWERS)

    assert "file: cannot be written to" in str(nowhere.exception)
    assert "no vault password is at hand" in str(unsealed.exception)
    assert nowhere.output == unsealed.output == ""


def test_inventories_beside_the_roles_are_environments_too(tmp_path: Path) -> None:
    for name in ("roles/web", "group_vars"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "production").write_text("# ours\n\n[web]\nshop.example\n")
    (tmp_path / "staging.ini").write_text("[web]\nstaging.example\n")
    (tmp_path / "Makefile").write_text("deploy:\n")

    listed = CliRunner().invoke(changeover, ["env", "list", str(tmp_path), "--offline"])
    misspelt = CliRunner().invoke(changeover, ["check", "-i", str(tmp_path)])

    assert listed.output.count("folder") == 2
    assert f"{tmp_path}/production\n" in listed.output
    assert "staging.ini" in str(getattr(misspelt.exception, "remedy", ""))


def test_environments_whose_inventory_is_a_folder_are_listed_one_by_one(tmp_path: Path) -> None:
    for place in ("demo/inventory/01-web", "inventory/prod/hosts", "inventory/test/hosts"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text("[web]\nshop.example\n")

    listed = CliRunner().invoke(changeover, ["env", "list", str(tmp_path), "--offline"])

    for name in ("demo", "inventory/prod", "inventory/test"):
        assert f"{tmp_path}/{name}\n" in listed.output
    assert listed.output.count("folder") == 3


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(changeover, ["env", "list", str(tmp_path / "nosuch")])

    assert isinstance(result.exception, InvalidInput)
    assert "nosuch: no such folder" in str(result.exception)
