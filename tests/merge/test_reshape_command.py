"""`changeover reshape`: files divided, joined and reduced by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from changeover.cli.reshape.group import reshape

WHOLE = "services:\n  web:\n    image: web:1\n    mem_limit: 1g\n  db:\n    image: db:1\n"
EDITED = WHOLE.replace("1g", "2g  # measured") + "  cron:\n    image: cron:1\n"
PARTS = {
    "web.yml": "services:\n  web:\n    image: web:2\n    mem_limit: 1g\n",
    "db.yml": "services:\n  db:\n    image: db:2\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reference, an edited file, and what the vendor ships now."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "base.yml").write_text(WHOLE)
    (tmp_path / "compose.yml").write_text(EDITED)
    (tmp_path / "theirs.yml").write_text(WHOLE.replace("web:1", "web:2"))
    for name, text in PARTS.items():
        (tmp_path / "new" / name).write_text(text)
    return tmp_path


def typed(*words: str) -> Result:
    return CliRunner().invoke(reshape, words)


SPLIT = ("split", "base.yml", "compose.yml", "new/web.yml", "new/db.yml", "--into", "out")


def test_a_file_is_divided_once_every_addition_has_its_place(folder: Path) -> None:
    asked = typed(*SPLIT)
    done = typed(*SPLIT, "--answer", "services.cron=db.yml")

    assert (asked.exit_code, done.exit_code) == (1, 0)
    assert "services.cron: may belong to several of the new files" in asked.stderr
    assert "name one of them, or `ours` for web.yml" in asked.stderr
    assert "mem_limit: 2g  # measured\n" in (folder / "out/web.yml").read_text()
    assert (folder / "out/db.yml").read_text() == PARTS["db.yml"] + "  cron:\n    image: cron:1\n"


def test_the_part_that_is_called_like_the_file_keeps_what_was_added(folder: Path) -> None:
    (folder / "new/web.yml").rename(folder / "new/compose.yml")

    done = typed("split", "base.yml", "compose.yml", "new/compose.yml", "new/db.yml",
                 "--into", "out")  # fmt: skip

    assert done.exit_code == 0
    assert "cron" in (folder / "out/compose.yml").read_text()


def test_nothing_is_written_by_a_check(folder: Path) -> None:
    told = typed(*SPLIT, "--check", "--json")

    found = json.loads(told.stdout)
    assert (told.exit_code, [one["clean"] for one in found]) == (1, [False, True])
    assert found[0]["conflicts"][0]["kind"] == "homeless"
    assert list((folder / "out").iterdir()) == []


def test_parts_become_one_file_again(folder: Path) -> None:
    typed(*SPLIT, "--answer", "services.cron=db.yml")

    done = typed("join", "theirs.yml", "--of", "new/web.yml", "out/web.yml",
                 "--of", "new/db.yml", "out/db.yml", "-o", "joined.yml",
                 "--answer", "services.db.image=theirs")  # fmt: skip

    assert done.exit_code == 0, done.stderr
    text = (folder / "joined.yml").read_text()
    assert text == EDITED.replace("web:1", "web:2")


def test_an_edited_file_becomes_an_override_and_the_override_follows(folder: Path) -> None:
    first = typed("override", "base.yml", "compose.yml", "theirs.yml", "-o", "over.yml")
    text = (folder / "over.yml").read_text()
    (folder / "later.yml").write_text(WHOLE.replace("1g", "4g"))

    again = typed("override", "theirs.yml", "-", "later.yml", "--over", "over.yml")

    assert (first.exit_code, again.exit_code) == (0, 1)
    assert text == (
        "services:\n  web:\n    mem_limit: 2g  # measured\n  cron:\n    image: cron:1\n"
    )
    assert "services.web.mem_limit: changed here and in the reference" in again.stderr
    assert again.stdout == text


def test_what_an_override_cannot_say_is_reset_where_somebody_wants_it(folder: Path) -> None:
    (folder / "compose.yml").write_text(WHOLE.replace("    mem_limit: 1g\n", ""))
    words = ("override", "base.yml", "compose.yml", "theirs.yml")

    asked = typed(*words)
    done = typed(*words, "--answer", "services.web.mem_limit=ours")

    assert (asked.exit_code, done.exit_code) == (1, 0)
    assert "theirs  1g" in asked.stderr
    assert done.stdout == "services:\n  web:\n    mem_limit: !reset null\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("split", "base.yml", "nowhere.yml", "new/web.yml", "--check"),
         "nowhere.yml: No such file or directory"),
        (("split", "base.yml", "compose.yml", "new/web.yml"), "nothing says where the files go"),
        (("split", "base.yml", "compose.yml", "new/web.yml", "--into", "gone"), "gone: no folder"),
        ((*SPLIT, "--answer", "services.cron=cron.yml"), "no part is called so"),
        (("override", "base.yml", "compose.yml", "theirs.yml", "--format", "nginx"), "nginx"),
        (("split", "broken.yml", "compose.yml", "new/web.yml", "new/db.yml", "--check"),
         "broken.yml:2:1: not YAML"),
    ],
)  # fmt: skip
def test_bad_input_is_a_clear_error(folder: Path, words: tuple[str, ...], said: str) -> None:
    (folder / "broken.yml").write_text("a: [1\n")

    done = typed(*words)

    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
    assert not isinstance(done.exception, ValueError)
