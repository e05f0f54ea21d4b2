"""git's merge driver, through real merges, rebases and cherry-picks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
BASE = "services:\n  web:\n    image: web:1\n    restart: always\n    mem: 1g\n"


class Repository:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.email", "test@example.org")
        self.git("config", "user.name", "Test")
        driver = (
            f"{sys.executable} -m changeover.cli.merge.command"
            " --git --marker-size %L --name %P %O %A %B"
        )
        self.git("config", "merge.changeover.driver", driver)
        (path / ".git" / "info").mkdir(exist_ok=True)
        (path / ".git" / "info" / "attributes").write_text("*.yml merge=changeover\n")

    def git(self, *words: str, fails: bool = False) -> str:
        environment = {
            **os.environ, "PYTHONPATH": str(SOURCE), "HOME": str(self.path), "GIT_EDITOR": "true",
            "GIT_CONFIG_NOSYSTEM": "1",
        }  # fmt: skip
        done = subprocess.run(["git", *words], cwd=self.path, env=environment, capture_output=True,
                              text=True, check=False)  # fmt: skip
        assert (done.returncode != 0) == fails, (words, done.stdout, done.stderr)
        return done.stdout

    def write(self, text: str, name: str = "app.yml") -> None:
        (self.path / name).write_text(text)

    def read(self, name: str = "app.yml") -> str:
        return (self.path / name).read_text()

    def commit(self, text: str, name: str = "app.yml") -> None:
        self.write(text, name)
        self.git("add", "-A")
        self.git("commit", "-qm", "change")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def branches(repository: Repository, base: str, main: str, side: str) -> None:
    repository.commit(base)
    repository.git("checkout", "-qb", "side")
    repository.commit(side)
    repository.git("checkout", "-q", "main")
    repository.commit(main)


def test_a_merge_that_git_alone_cannot_do_is_clean(repository: Repository) -> None:
    branches(repository, BASE, BASE.replace("always", "no"), BASE.replace("1g", "2g"))

    repository.git("merge", "-q", "side")

    assert repository.read() == BASE.replace("always", "no").replace("1g", "2g")


def test_a_conflict_becomes_markers_and_the_merge_waits(repository: Repository) -> None:
    branches(repository, BASE, BASE.replace("1g", "3g"), BASE.replace("1g", "2g"))

    repository.git("merge", "side", fails=True)

    assert "<<<<<<< ours\n    mem: 3g\n" in repository.read()
    assert "UU app.yml" in repository.git("status", "--short")


def test_a_rebase_merges_with_its_sides_swapped(repository: Repository) -> None:
    branches(repository, BASE, BASE.replace("always", "no"), BASE.replace("1g", "2g"))
    repository.git("checkout", "-q", "side")

    repository.git("rebase", "-q", "main")

    assert repository.read() == BASE.replace("always", "no").replace("1g", "2g")


def test_a_cherry_pick_brings_its_change_alone(repository: Repository) -> None:
    repository.commit(BASE)
    repository.git("checkout", "-qb", "side")
    repository.commit(BASE.replace("web:1", "web:2"))
    repository.commit(BASE.replace("web:1", "web:2").replace("1g", "2g"))
    repository.git("checkout", "-q", "main")
    repository.commit(BASE.replace("always", "no"))

    repository.git("cherry-pick", "side")

    assert repository.read() == BASE.replace("always", "no").replace("1g", "2g")


def test_a_file_added_on_both_sides_has_no_base(repository: Repository) -> None:
    repository.commit("x\n", "other.txt")
    repository.git("checkout", "-qb", "side")
    repository.commit("a: 1\nb: 2\n", "new.yml")
    repository.git("checkout", "-q", "main")
    repository.commit("a: 1\nc: 3\n", "new.yml")

    repository.git("merge", "-q", "side")

    assert repository.read("new.yml") == "a: 1\nb: 2\nc: 3\n"


def test_an_unreadable_file_is_merged_by_lines(repository: Repository) -> None:
    broken = BASE + "  - odd: [\n"
    branches(repository, broken, broken.replace("web:1", "web:2"), broken.replace("1g", "2g"))

    repository.git("merge", "-q", "side")

    assert repository.read() == broken.replace("web:1", "web:2").replace("1g", "2g")


def test_criss_cross_merges_with_a_virtual_ancestor(repository: Repository) -> None:
    branches(repository, BASE, BASE.replace("1g", "3g"), BASE.replace("always", "no"))
    main, side = (repository.git("rev-parse", name).strip() for name in ("main", "side"))
    repository.git("merge", "-q", side)
    repository.git("checkout", "-q", "side")
    repository.git("merge", "-q", main)
    repository.commit(repository.read() + "    new: 1\n")
    repository.git("checkout", "-q", "main")
    repository.commit(repository.read().replace("web:1", "web:9"))

    repository.git("merge", "-q", "side")

    merged = repository.read()
    assert all(text in merged for text in ("3g", "restart: no", "web:9", "new: 1"))


def test_criss_cross_with_a_conflict_in_the_ancestor_asks_or_agrees(repository: Repository) -> None:
    branches(repository, BASE, BASE.replace("1g", "3g"), BASE.replace("1g", "2g"))
    main, side = (repository.git("rev-parse", name).strip() for name in ("main", "side"))
    repository.git("merge", side, fails=True)
    repository.commit(BASE.replace("1g", "4g"))
    repository.git("checkout", "-q", "side")
    repository.git("merge", main, fails=True)
    repository.commit(BASE.replace("1g", "5g"))

    repository.git("merge", "main", fails=True)

    assert "4g" in repository.read()
    assert "5g" in repository.read()


def test_the_driver_is_installed_in_a_repository(repository: Repository) -> None:
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-m", "changeover.cli.merge.command", "--install-git-driver"],
            cwd=repository.path, check=True, capture_output=True,
            env={**os.environ, "PYTHONPATH": str(SOURCE), "HOME": str(repository.path)},
        )  # fmt: skip

    assert "merge --git" in repository.git("config", "merge.changeover.driver")
    attributes = (repository.path / ".git" / "info" / "attributes").read_text()
    assert attributes.count("*.toml merge=changeover") == 1


def test_a_renamed_file_is_merged_under_its_new_name(repository: Repository) -> None:
    text = BASE + "".join(f"  s{n}:\n    image: x:{n}\n" for n in range(9))
    repository.commit(text, "old.yml")
    repository.git("checkout", "-qb", "side")
    repository.commit(text.replace("web:1", "web:2"), "old.yml")
    repository.git("checkout", "-q", "main")
    repository.git("mv", "old.yml", "new name.yml")
    repository.commit(text.replace("always", "no"), "new name.yml")

    repository.git("merge", "-q", "side")

    assert repository.read("new name.yml") == text.replace("web:1", "web:2").replace("always", "no")


def test_a_name_that_is_no_shell_word_is_handed_over_whole(repository: Repository) -> None:
    name = "it's $HOME; (a) `b`.yml"
    repository.commit(BASE, name)
    repository.git("checkout", "-qb", "side")
    repository.commit(BASE.replace("1g", "2g"), name)
    repository.git("checkout", "-q", "main")
    repository.commit(BASE.replace("always", "no"), name)

    repository.git("merge", "-q", "side")

    assert repository.read(name) == BASE.replace("always", "no").replace("1g", "2g")


def test_a_rebase_stops_at_a_conflict_and_goes_on(repository: Repository) -> None:
    repository.commit(BASE)
    repository.git("checkout", "-qb", "side")
    repository.commit(BASE.replace("1g", "2g"))
    repository.commit(BASE.replace("1g", "2g") + "    new: 1\n")
    repository.git("checkout", "-q", "main")
    repository.commit(BASE.replace("1g", "3g"))
    repository.git("checkout", "-q", "side")

    repository.git("rebase", "main", fails=True)
    # In a rebase, ours is what is built upon.
    assert "<<<<<<< ours\n    mem: 3g\n" in repository.read()
    repository.write(BASE.replace("1g", "4g"))
    repository.git("add", "-A")
    repository.git("rebase", "--continue")

    assert repository.read() == BASE.replace("1g", "4g") + "    new: 1\n"


def test_stashed_edits_come_back_beside_new_ones(repository: Repository) -> None:
    repository.commit(BASE)
    repository.write(BASE.replace("1g", "2g"))
    repository.git("stash", "-q")
    repository.commit(BASE.replace("always", "no"))

    repository.git("stash", "pop", "-q")

    assert repository.read() == BASE.replace("always", "no").replace("1g", "2g")


def test_a_reverted_commit_takes_back_its_change_alone(repository: Repository) -> None:
    repository.commit(BASE)
    repository.commit(BASE.replace("1g", "2g"))
    repository.commit(BASE.replace("1g", "2g").replace("always", "no"))

    repository.git("revert", "--no-edit", "HEAD~1")

    assert repository.read() == BASE.replace("always", "no")


def test_one_who_has_only_this_tool_installs_the_driver_and_merges(repository: Repository) -> None:
    repository.git("config", "--unset", "merge.changeover.driver")
    (repository.path / ".git" / "info" / "attributes").unlink()
    bare = {"PATH": os.environ["PATH"], "HOME": str(repository.path), "PYTHONPATH": str(SOURCE)}
    subprocess.run([sys.executable, "-m", "changeover.cli.merge.command", "--install-git-driver",
                    "--global"], cwd="/", check=True, capture_output=True, env=bare)  # fmt: skip
    branches(repository, BASE, BASE.replace("always", "no"), BASE.replace("1g", "2g"))

    repository.git("merge", "-q", "side")

    assert repository.read() == BASE.replace("always", "no").replace("1g", "2g")
