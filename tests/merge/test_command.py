"""`changeover merge` as people and programs call it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from changeover.cli.merge.command import command

BASE, OURS, THEIRS = "a: 1\nb: 2\nc: 3\n", "a: 5\nb: 2\nc: 3\n", "a: 7\nb: 9\nc: 3\n"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for name, text in (("base", BASE), ("ours", OURS), ("theirs", THEIRS)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return [str(tmp_path / f"{name}.yaml") for name in ("base", "ours", "theirs")]


def call(*words: str, keys: str = "") -> Result:
    return CliRunner().invoke(command, list(words), input=keys)


def test_a_conflict_is_shown_with_file_and_line_and_keeps_the_local_value(files: list[str]) -> None:
    done = call(*files)

    assert done.exit_code == 1
    assert done.stdout == "a: 5\nb: 9\nc: 3\n"
    assert "conflict: a: changed here and in the reference" in done.stderr
    assert f"a: 7    ({files[2]}:1)" in done.stderr


def test_an_answer_settles_a_conflict(files: list[str]) -> None:
    assert call(*files, "--answer", "a=theirs").stdout == THEIRS
    assert call(*files, "--answer", "a=42").stdout == "a: 42\nb: 9\nc: 3\n"
    assert call(*files, "--answer", "a=ours").exit_code == 0


def test_the_result_goes_to_a_file_that_keeps_its_mode(files: list[str], tmp_path: Path) -> None:
    target = tmp_path / "out.yaml"
    target.write_text("old")
    target.chmod(0o640)

    done = call(*files, "-o", str(target))

    assert done.exit_code == 1
    assert target.read_text() == "a: 5\nb: 9\nc: 3\n"
    assert target.stat().st_mode & 0o777 == 0o640


def test_check_writes_nothing(files: list[str], tmp_path: Path) -> None:
    target = tmp_path / "out.yaml"

    done = call(*files, "--check", "-o", str(target))

    assert done.exit_code == 1
    assert done.stdout == ""
    assert not target.exists()


def test_a_clean_check_says_so_and_whether_anything_would_change(files: list[str]) -> None:
    base, ours, theirs = files

    changes = call(base, base, theirs, "--check")
    nothing = call(base, ours, base, "--check")

    assert (changes.exit_code, changes.stdout) == (0, "")
    assert changes.stderr == f"clean: {base} would change; nothing is to be decided\n"
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert nothing.stderr == f"clean: {ours} has all there is to have\n"
    assert call(base, base, theirs).stderr == ""


def test_markers_are_written_for_those_who_want_them(files: list[str]) -> None:
    done = call(*files, "--markers")

    assert "<<<<<<< ours\na: 5\n||||||| base\na: 1\n=======\na: 7\n>>>>>>> theirs\n" in done.stdout


def test_programs_get_json(files: list[str]) -> None:
    found = json.loads(call(*files, "--json").stdout)

    assert found["clean"] is False
    assert found["conflicts"][0]["path"] == "a"
    assert found["conflicts"][0]["theirs"] == {"text": "a: 7", "line": 1}


def test_json_is_a_form_of_the_output_as_for_other_commands(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    as_form, as_file = call(*files, "-o", "json"), call(*files, "-o", "./json")

    assert as_form.stdout == call(*files, "--json").stdout
    assert as_file.stdout == ""
    assert Path("json").read_text() == "a: 5\nb: 9\nc: 3\n"


def test_a_file_that_is_no_text_ends_with_2_and_its_name(files: list[str]) -> None:
    Path(files[2]).write_bytes(b"a: 1\n\0\n")

    done = call(*files)

    assert done.exit_code == 2
    assert f"{files[2]}:2:1: a zero byte: this is no text" in done.stderr


@pytest.mark.parametrize("content", ["a: [1\n", "a: 1\n\tb: 2\n"])
def test_an_unreadable_file_ends_with_2_and_its_place(files: list[str], content: str) -> None:
    Path(files[1]).write_text(content)

    done = call(*files)

    assert done.exit_code == 2
    assert f"{files[1]}:" in done.stderr
    assert "not YAML" in done.stderr


def test_an_answer_to_no_conflict_is_told(files: list[str]) -> None:
    done = call(*files, "--answer", "aa=theirs")

    assert done.exit_code == 1
    assert "note: --answer aa: there is no such conflict" in done.stderr


def test_with_markers_nothing_is_said_to_be_kept(files: list[str]) -> None:
    assert "1 conflict; marked." in call(*files, "--markers").stderr


@pytest.mark.parametrize(
    "words", [["/nowhere/x.yaml"], ["--answer", "a"], ["--renamed", "x"], ["--format", "odd"]]
)
def test_bad_input_is_an_error_with_a_remedy(files: list[str], words: list[str]) -> None:
    given = [files[0], files[1], words[0]] if len(words) == 1 else [*files, *words]

    done = call(*given)

    assert done.exit_code == 2
    assert "Try:" in done.stderr


def test_conflicts_are_answered_by_one_key_each_with_undo(files: list[str]) -> None:
    Path(files[1]).write_text("a: 5\nb: 5\nc: 3\n")

    done = call(*files, "--ask", keys="ouctt")

    assert done.stdout == "a: 7\nb: 9\nc: 3\n"
    assert done.exit_code == 0


def test_a_value_is_typed_and_a_question_skipped(files: list[str]) -> None:
    Path(files[1]).write_text("a: 5\nb: 5\nc: 3\n")

    done = call(*files, "--ask", keys="e11\ns")

    assert done.stdout == "a: 11\nb: 5\nc: 3\n"
    assert done.exit_code == 1


def test_the_same_question_is_not_asked_twice_and_a_changed_one_is(
    files: list[str], tmp_path: Path
) -> None:
    memory = tmp_path / "answers.yaml"

    first = call(*files, "--answers", str(memory), "--answer", "a=theirs")
    second = call(*files, "--answers", str(memory))
    Path(files[2]).write_text(THEIRS.replace("7", "8"))
    third = call(*files, "--answers", str(memory))

    assert [done.exit_code for done in (first, second, third)] == [0, 0, 1]
    assert (tmp_path / "answers.key").stat().st_mode & 0o777 == 0o600


def test_answers_hold_no_value_of_the_files(files: list[str], tmp_path: Path) -> None:
    memory = tmp_path / "answers.yaml"
    for path, text in zip(files, ("one", "canary-two", "canary-three"), strict=True):
        Path(path).write_text(f"password: {text}\n")

    call(*files, "--answers", str(memory), "--answer", "password=theirs")
    call(*files, "--answers", str(memory), "--answer", "password=canary-four")

    assert "canary" not in memory.read_text()


def test_no_base_asks_about_every_difference(files: list[str]) -> None:
    done = call("-", *files[1:], "--json")

    assert [found["path"] for found in json.loads(done.stdout)["conflicts"]] == ["a", "b"]


def test_the_process_is_quick(files: list[str]) -> None:
    code = "import time, sys; t = time.process_time(); import changeover.cli.merge.command as m; " \
        "m.command.main(sys.argv[1:], standalone_mode=False)"  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *files], capture_output=True, text=True,
        check=False, env={"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )  # fmt: skip

    for heavy in ("pydantic", "rich", "jinja2", "asyncio", "cryptography", "subprocess"):
        assert f" {heavy}\n" not in done.stderr


def test_a_conflict_carries_what_the_vendor_says_about_it(files: list[str], tmp_path: Path) -> None:
    notes = tmp_path / "notes.yaml"
    notes.write_text("a: Beyond 6, workers need more memory.\n")

    shown = call(*files, "--notes", str(notes)).stderr
    told = json.loads(call(*files, "--notes", str(notes), "--json").stdout)

    assert "note    Beyond 6, workers need more memory." in shown
    assert told["conflicts"][0]["note"] == "Beyond 6, workers need more memory."


@pytest.mark.parametrize("content", [b"- a\n", b"a: [\n", b"a: 1\n", b"\xff\n"])
def test_notes_that_are_no_map_of_texts_are_refused(
    files: list[str], tmp_path: Path, content: bytes
) -> None:
    notes = tmp_path / "notes.yaml"
    notes.write_bytes(content)

    done = call(*files, "--notes", str(notes))

    assert done.exit_code == 2
    assert "notes.yaml: " in done.stderr
