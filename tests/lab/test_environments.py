"""An environment of the lab is listed, checked and dismantled; another is added beside it."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from labs.catalogage.choice import DATABASE
from labs.catalogage.local import LocalLab

from changeover.cli.main import changeover
from changeover.errors import InvalidInput

pytestmark = pytest.mark.live


@pytest.fixture
def prod(lab: LocalLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its environment, in git, with what it needs from whom."""
    for name in ("CHANGEOVER_INSTANCE", "CHANGEOVER_STATE", "CHANGEOVER_AGE_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    folder = lab.write_instance(tmp_path / "environments" / "prod", ssh=True)
    written = yaml.safe_load((folder / "instance.yaml").read_text())
    written |= {
        "description": "Where everybody works", "deployed_from": "master",
        "resources": {"vm": {"where": "Nuage", "contact": "ops@shop.example", "of": "web-1"},
                      "callbacks": {"where": "BetaGouv"}},
    }  # fmt: skip
    written["vars"]["access_logs"] = [str(tmp_path / "access.log")]
    (folder / "instance.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    (tmp_path / "README.md").write_text(f"See {lab.layout.client_url}\n")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "config", "user.name", "Ada")
    git(tmp_path, "config", "user.email", "ada@shop.example")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "environments")
    monkeypatch.chdir(tmp_path)
    return folder


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def typed(*words: str, said: str = "") -> Result:
    return CliRunner().invoke(changeover, ["env", *words], input=said)


def test_environments_are_listed_with_what_runs_there_and_whom_to_ask(
    lab: LocalLab, prod: Path
) -> None:
    broken = prod.parent / "broken"
    broken.mkdir()
    (broken / "instance.yaml").write_text("format: 1\nname: [\n")

    listed = json.loads(typed("list", "environments", "-o", "json").output)
    text = typed("list").output
    offline = typed("list", "--offline").output

    by_name = {each["name"]: each for each in listed}
    head = git(Path(lab.layout.workdir), "rev-parse", "HEAD").strip()
    assert by_name["lab"]["running"] == head
    assert "instance.yaml:" in by_name["broken"]["trouble"]
    assert "Where everybody works" in text
    assert "web-1, Nuage ask: ops@shop.example" in text
    assert f"running        {head[:7]}" in text
    assert "running" not in offline


def test_an_environment_is_dismantled_only_by_its_name_and_nothing_is_left(
    prod: Path, fresh_lab: LocalLab, tmp_path: Path
) -> None:
    words = ("dismantle", "-i", str(prod), "--drop-database", "--approve", "all")
    (tmp_path / "backups").mkdir()

    unnamed = typed(*words)
    wrong = typed(*words, "--confirm", "labb")
    assert isinstance(unnamed.exception, InvalidInput)
    assert isinstance(wrong.exception, InvalidInput)
    assert fresh_lab.site.healthy
    result = typed(*words, "--confirm", "lab", "--backup-to", str(tmp_path / "backups"))

    assert result.exception is None, result.output
    said = " ".join(result.output.split())
    assert "rows written since" in said
    assert "nothing scheduled mentions" in said or "still scheduled" in said
    assert "proven: nothing is installed on its hosts any more" in said
    assert "[ ] the machine web-1, Nuage; ask ops@shop.example" in said
    assert "[ ] mentioned in README.md" in said
    assert not fresh_lab.site.healthy
    assert not Path(fresh_lab.layout.workdir).exists()
    assert not Path(fresh_lab.layout.workdir).is_symlink()
    assert "RUNNING" not in fresh_lab.supervisord.control("status").stdout
    databases = fresh_lab.postgres.sql("SELECT datname FROM pg_database", "postgres")
    assert DATABASE not in databases.split()
    (backup,) = (tmp_path / "backups").glob("*.tar")
    assert backup.stat().st_mode & 0o777 == 0o600
    with tarfile.open(backup) as archive:
        assert len(archive.getnames()) >= 2
    assert git(tmp_path, "symbolic-ref", "--short", "HEAD").strip() == "main"
    assert prod.is_dir()
    assert "environments/prod" not in git(tmp_path, "ls-tree", "-r", "--name-only", "dismantle-lab")
    assert "[ ] the name in DNS" in git(tmp_path, "log", "-1", "--format=%B", "dismantle-lab")
    assert git(tmp_path, "worktree", "list").count("\n") == 1
