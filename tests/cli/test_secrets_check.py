"""`secrets check` finds what leaked and what will not arrive, and never shows a secret."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from changeover.cli.main import changeover

CANARY = "c4nary-of-the-coal-mine"


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CHANGEOVER_AGE_KEY_FILE", "CHANGEOVER_INSTANCE", "ANSIBLE_VAULT_PASSWORD_FILE",
                 "ANSIBLE_VAULT_IDENTITY_LIST", "ANSIBLE_CONFIG"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = tmp_path / "prod"
    folder.mkdir()
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "vault-password").write_text("open sesame\n")
    (tmp_path / "vault-password").chmod(0o600)
    (tmp_path / ".gitignore").write_text("vault-password\n")
    monkeypatch.chdir(folder)
    typed("set", "api_key", said=CANARY)
    return folder


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@shop.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def commit(folder: Path, said: str = "x") -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", said)


def typed(*words: str, said: str = "") -> Result:
    return CliRunner().invoke(changeover, ["secrets", *words], input=said)


@dataclass(frozen=True)
class Checked:
    exit_code: int
    output: str


def checked(*words: str) -> Checked:
    result = typed("check", *words)
    assert CANARY not in result.output
    assert result.exit_code in (0, 3), result.output
    return Checked(result.exit_code, " ".join(result.output.split()))


def test_a_clean_folder_passes(vault: Path) -> None:
    commit(vault)

    result = checked()

    assert result.exit_code == 0, result.output
    assert "vault password: " in result.output
    assert "1 secret, sealed by vault" in result.output
    assert "git: no secret in clear in" in result.output


def test_the_password_file_must_be_there_private_and_ignored(vault: Path) -> None:
    password = vault.parent / "vault-password"
    password.chmod(0o640)
    readable = checked().output
    password.chmod(0o600)
    (vault.parent / ".gitignore").unlink()
    taken = checked().output
    commit(vault)
    known = checked().output
    password.unlink()
    missing = checked().output

    assert "can be read by others" in readable
    assert "is not ignored by git" in taken
    assert "vault-password in commit" in known
    assert "was committed without encryption" in known
    assert "vault-password is missing" in missing


def test_a_secret_that_was_ever_committed_in_clear_is_found(vault: Path) -> None:
    (vault / "notes.md").write_text(f"the key is {CANARY}\n")
    commit(vault, "notes")
    (vault / "notes.md").unlink()
    commit(vault, "no notes")
    git(vault, "checkout", "-q", "-b", "side")
    (vault / "other.yml").write_text(f"key: {CANARY}\n")
    commit(vault, "side")
    git(vault, "checkout", "-q", "main")
    git(vault, "branch", "-q", "-D", "side")

    found = checked()

    assert found.exit_code == 3
    assert "prod/notes.md in commit" in found.output
    assert "prod/other.yml in commit" in found.output
    assert "holds the secret api_key in clear" in found.output
    assert checked("--no-history").exit_code == 0


def test_what_a_secret_was_before_and_a_file_once_in_clear_are_found(vault: Path) -> None:
    (vault / "secrets").write_text("old_key: clear-for-a-day\n")
    commit(vault, "clear")
    typed("encrypt", "secrets")
    commit(vault, "sealed")
    typed("set", "old_key", said="now-another-one")
    (vault / "leak").write_text("clear-for-a-day")
    commit(vault, "leak")

    output = checked().output

    assert "prod/secrets in commit" in output
    assert "was committed without encryption" in output
    assert "holds the secret old_key (as it was) in clear" in output
    assert "clear-for-a-day" not in output


def test_a_password_file_outside_the_repository_hides_nothing(
    vault: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "password"
    outside.write_text("open sesame\n")
    outside.chmod(0o600)
    (vault.parent / "vault-password").unlink()
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(outside))
    (vault / "notes.md").write_text(f"the key is {CANARY}\n")
    commit(vault)

    assert "prod/notes.md in commit" in checked().output


def test_an_empty_file_of_secrets_is_no_leak(vault: Path) -> None:
    (vault / "secrets").write_text("{}  # nothing secret\n")
    commit(vault)

    assert checked().exit_code == 0


@pytest.mark.parametrize(
    ("password", "wrong"),
    [("p@ss", "not encoded: @"), ("p/ss", "not encoded: /"), ("p%zz", "not encoded: %"),
     ("p ss", "not encoded: a space"), ("p+ss", "stays a plus sign"), ("p%20ss", "is encoded"),
     ("p#ss", "not encoded: #"), ("p:ss", "not encoded: :")],
)  # fmt: skip
def test_passwords_in_urls_must_be_encoded(vault: Path, password: str, wrong: str) -> None:
    typed("set", "database_url", said=f"postgresql+asyncpg://user:{password}@db.example:5432/x")

    assert wrong in checked().output


def test_a_value_that_does_not_come_back_from_a_file_is_named(vault: Path) -> None:
    typed("set", "api_key", said="a${HOME}bcdefgh")
    typed("set", "quoted", said='say "hello" twice')

    result = checked()

    assert result.exit_code == 3
    assert "dotenv: api_key does not come back as it is ($ { })" in result.output
    assert 'comes back only where it is escaped: quoted (")' in result.output


def test_a_file_that_is_not_encrypted_or_not_yaml_is_said(vault: Path) -> None:
    (vault / "secrets").write_text("key: abcdefgh\n")
    assert "is not encrypted" in checked().output

    (vault / "secrets").write_text("database_url: database_url: x\n")
    assert "secrets:1:" in checked().output


def test_an_instance_of_ours_is_checked_with_all_its_secrets(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (vault / "secrets").unlink()
    (vault / "instance.yaml").write_text(
        "format: 1\nname: prod\nproduct: shop\nhosts: {here: {transport: local}}\n"
        "secrets: {url: {env: SHOP_URL}, gone: {file: nowhere}}\n"
    )
    monkeypatch.setenv("SHOP_URL", "postgresql://u:a@b@c/d")

    result = checked()

    assert "url: its password is not encoded: @" in result.output
    assert "secret gone:" in result.output


def test_values_sealed_one_by_one_are_read_and_are_no_leak(vault: Path) -> None:
    (vault / "secrets").unlink()
    (vault / "one").write_text(CANARY)
    typed("encrypt", "one")
    sealed = (vault / "one").read_text().replace("\n", "\n  ").rstrip(" ")
    (vault / "secrets").write_text(f"open: to everybody\napi_key: !vault |\n  {sealed}")
    (vault / "one").unlink()
    commit(vault)

    assert typed("view", "api_key").output == f"api_key: {CANARY}\n"
    assert "1 secret, sealed by !vault" in checked().output
    assert checked().exit_code == 0


def test_an_environment_may_be_named_by_its_inventory(vault: Path) -> None:
    (vault / "hosts").write_text("[web]\nshop.example\n")
    commit(vault)

    found = checked("-i", "hosts")

    assert found.output == checked().output
    assert typed("view", "api_key", "-i", "hosts").output == f"api_key: {CANARY}\n"


def test_a_program_that_gives_the_password_may_be_read_and_committed(vault: Path) -> None:
    (vault.parent / "vault-password").write_text("#!/bin/sh\necho 'open sesame'\n")
    (vault.parent / "vault-password").chmod(0o755)
    (vault.parent / ".gitignore").unlink()
    commit(vault)

    found = checked()

    assert "is a program that gives it" in found.output
    assert found.exit_code == 0, found.output


@pytest.mark.parametrize(("password", "wrong"), [("mdp%21%24", False), ("a b", True)])
def test_a_password_is_encoded_as_it_likes(vault: Path, password: str, wrong: bool) -> None:
    typed("set", "database_url", said=f"postgresql://u:{password}@h/d")

    found = checked("--no-history")

    assert ("its password is not encoded" in found.output) is wrong
    assert ("its password is encoded" in found.output) is not wrong


def test_sealed_variables_of_an_environment_are_judged_as_their_templates_come_out(
    vault: Path,
) -> None:
    typed("set", "database_url", said="postgresql://u:{{ db_password | urlencode }}@h/d")
    (vault / "hosts").write_text("[web]\nshop.example\n")
    (vault / "one").write_text("p ss#word")
    typed("encrypt", "one")
    sealed = (vault / "one").read_text().replace("\n", "\n  ").rstrip(" ")
    (vault / "one").unlink()
    (vault / "group_vars").mkdir()
    (vault / "group_vars/web.yml").write_text(f"db_password: !vault |\n  {sealed}")
    (vault / "changeover.yaml").write_text("format: 1\nproduct: shop\nhubs: [.]\n")
    (vault / "notes.md").write_text("it is p ss#word\n")
    commit(vault)

    found = checked()

    assert "database_url: its password is encoded" in found.output
    assert "holds the secret db_password in clear" in found.output


def test_a_secret_in_clear_among_the_variables_is_named(vault: Path) -> None:
    (vault / "secrets").unlink()
    (vault / "hosts").write_text("[web]\nshop.example\n")
    (vault / "group_vars").mkdir()
    (vault / "group_vars/web.yml").write_text(
        "git_repo: x\nworkdir: /srv/x\napi_port: 1\nclient_port: 2\nsecret_key: written-in-clear\n"
    )
    (vault / "changeover.yaml").write_text("format: 1\nproduct: catalogage\n")

    assert "secret_key stands there in clear" in checked().output


def test_the_password_of_vaults_among_the_variables_is_looked_at(vault: Path) -> None:
    top = vault.parent
    (vault / "group_vars/all").mkdir(parents=True)
    (vault / "secrets").rename(vault / "group_vars/all/vault.yml")
    (vault / "hosts").write_text("[web]\na\n")
    (top / "vault-password").rename(top / "opens")
    (top / "ansible.cfg").write_text("[defaults]\nvault_identity_list = prod@opens\n")

    found = checked()

    assert found.exit_code == 3
    assert f"vault password: {top / 'opens'} is not ignored by git" in found.output
