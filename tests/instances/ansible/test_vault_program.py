"""Vaults of `ansible-vault` and ours: each reads what the other wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from changeover.instances.ansible.vault import Password, decrypt, encrypt
from tests.servers.ansible import WANTED, ansible

SECRET = Password(b"correct horse")


@pytest.mark.live
@pytest.mark.parametrize("version", WANTED)
@pytest.mark.parametrize("label", ["", "team"])
def test_each_reads_what_the_other_wrote(tmp_path: Path, version: str, label: str) -> None:
    program = ansible(version)
    (tmp_path / "password").write_text("correct horse\n")
    text = "key: é#$%\n" * 40
    (tmp_path / "ours").write_text(encrypt(text.encode(), SECRET, label))
    (tmp_path / "theirs").write_text(text)
    given = ["--vault-id", f"{label or 'default'}@password"]

    seen = program.run("ansible-vault", "view", *given, "ours", cwd=tmp_path)
    sealed = program.run("ansible-vault", "encrypt", *given, "theirs", cwd=tmp_path)

    assert seen.stdout.rstrip("\n") == text.rstrip("\n"), seen.stderr
    assert sealed.returncode == 0, sealed.stderr
    assert decrypt((tmp_path / "theirs").read_bytes(), [SECRET], "theirs") == text.encode()
