"""Colleagues use `ansible-vault`, we use `secrets`: each goes on with what the other wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from changeover.cli.main import changeover
from tests.servers.ansible import WANTED, ansible

pytestmark = pytest.mark.live


@pytest.mark.parametrize("version", WANTED)
@pytest.mark.parametrize("label", ["default", "team"])
def test_a_file_goes_to_and_fro(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, label: str
) -> None:
    for name in ("ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_VAULT_IDENTITY_LIST", "ANSIBLE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    program = ansible(version)
    for name, password in (("vault-password", "open sesame"), ("new-password", "another")):
        (tmp_path / name).write_text(f"{password}\n")
    (tmp_path / "secrets").write_text("# ours\nkey: 'é#$%'\n")
    identity = ["--vault-id", f"{label}@vault-password"]
    theirs = ("ansible-vault", "--help")
    assert program.run(*theirs, cwd=tmp_path).returncode == 0

    sealed = program.run("ansible-vault", "encrypt", *identity, "secrets", cwd=tmp_path)
    assert sealed.returncode == 0, sealed.stderr
    typed("set", "added", *identity, said="from us")
    seen = program.run("ansible-vault", "view", *identity, "secrets", cwd=tmp_path)
    typed("rekey", "secrets", *identity, "--new-vault-password-file", "new-password")
    moved = program.run(
        "ansible-vault", "view", "--vault-id", f"{label}@new-password", "secrets", cwd=tmp_path
    )
    (tmp_path / "asset").write_bytes(b"users: []\n")
    typed("encrypt", "asset", *identity)
    opened = program.run("ansible-vault", "decrypt", *identity, "asset", cwd=tmp_path)

    wanted = "# ours\nkey: 'é#$%'\nadded: \"from us\""
    assert seen.stdout.strip() == wanted, seen.stderr
    assert moved.stdout.strip() == wanted, moved.stderr
    assert opened.returncode == 0, opened.stderr
    assert (tmp_path / "asset").read_bytes() == b"users: []\n"


def typed(*words: str, said: str = "") -> None:
    result = CliRunner().invoke(changeover, ["secrets", *words], input=said)
    assert result.exception is None, (words, result.output, result.exception)
