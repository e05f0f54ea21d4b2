"""A vault's password that is only named with the command opens what each command reads."""

from __future__ import annotations

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
