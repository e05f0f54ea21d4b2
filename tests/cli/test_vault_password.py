"""A vault's password that is only named with the command opens what each command reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from changeover.cli.main import changeover
from tests.instances.ansible.project import make_project


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    ansible = make_project(tmp_path)
    (ansible / "vault-password").rename(tmp_path / "elsewhere")
    return ansible / "environments" / "prod"


@pytest.mark.parametrize(
    "words",
    [
        ("release", "list", "-i", "{prod}"),
        ("release", "diff", "2023.7", "2023.7", "-i", "{prod}"),
        ("instance", "show", "-i", "{prod}"),
        ("secrets", "view", "secret_key", "-i", "{prod}"),
        ("env", "list", "--offline", "{prod}"),
        ("images", "list", "2023.7", "-i", "{prod}"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_it_reaches_whoever_reads_the_environment(
    environment: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    typed = [word.format(prod=environment) for word in words]
    named = ["--vault-password-file", str(tmp_path / "elsewhere")]

    without = CliRunner().invoke(changeover, typed)
    opened = CliRunner().invoke(changeover, [*typed, *named])

    assert "no vault password" in f"{without.output}{without.exception}"
    assert "no vault password" not in opened.output
    assert opened.exception is None, opened.output


def test_what_reaches_no_host_needs_none(environment: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    who = ("-c", "user.name=Zoe", "-c", "user.email=zoe@shop.example")
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "origin.git"], check=True)
    subprocess.run(["git", "init", "-q", "-b", "master", clone], check=True)
    for words in (
        ("commit", "-q", "--allow-empty", "-m", "One"),
        ("remote", "add", "origin", str(tmp_path / "origin.git")),
        ("push", "-q", "origin", "master", "master:staging"),
    ):
        subprocess.run(["git", "-C", clone, *who, *words], check=True)
    named = ["-i", str(environment), "--set", f"clone={clone}"]

    planned = CliRunner().invoke(changeover, ["plan", "--procedure", "staging-sync", *named])
    deployed = CliRunner().invoke(changeover, ["plan", "-i", str(environment)])

    assert planned.exception is None, planned.output
    assert "staging" in planned.output
    assert "no vault password" in str(deployed.exception)
