"""An environment with secrets, and `changeover secrets` typed in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from changeover.cli.main import changeover
from changeover.errors import ChangeoverError


def vaulted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an environment as the manual has it, whose password git ignores two folders up."""
    for name in ("CHANGEOVER_AGE_KEY_FILE", "CHANGEOVER_INSTANCE", "VISUAL", "EDITOR",
                 "ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_CONFIG", "XDG_RUNTIME_DIR"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = tmp_path / "ops/ansible/environments/prod"
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    password = tmp_path / "ops/ansible/vault-password"
    password.write_text("open sesame\n")
    password.chmod(0o600)
    (tmp_path / ".gitignore").write_text("vault-password\n.env\nhome\n")
    monkeypatch.chdir(folder)
    return folder


def typed(*words: str, said: str = "") -> Result:
    return CliRunner().invoke(changeover, ["secrets", *words], input=said)


def done(*words: str, said: str = "") -> str:
    result = typed(*words, said=said)
    assert result.exception is None, (words, result.output, result.exception)
    return result.stdout


def refused(*words: str, said: str = "") -> ChangeoverError:
    error = typed(*words, said=said).exception
    assert isinstance(error, ChangeoverError), (words, error)
    assert error.remedy
    return error
