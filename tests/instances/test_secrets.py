from __future__ import annotations

from pathlib import Path

import pytest

from changeover.errors import InvalidInstance
from changeover.instances.agefile import (
    KEY,
    RECIPIENTS,
    make_key,
    parse_secrets,
    read_secrets,
    secrets_text,
    write_encrypted,
)
from changeover.instances.secrets import Reference, Secrets
from tests.servers.program import await_outcome, birth


@pytest.fixture(autouse=True)
def no_keys_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHANGEOVER_AGE_KEY_FILE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def secret(folder: Path, kind: str, *words: str, key: str = "x") -> Secrets:
    return Secrets({"x": Reference(kind, words, key)}, folder)


def test_a_secret_comes_from_where_its_reference_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X_PASSWORD", "from env")
    (tmp_path / "x").write_text("from file\n")

    assert secret(tmp_path, "env", "X_PASSWORD")["x"] == "from env"
    assert secret(tmp_path, "file", "x")["x"] == "from file"
    assert secret(tmp_path, "command", "echo", "from command")["x"] == "from command"


def test_an_age_file_gives_back_what_was_put_in(tmp_path: Path) -> None:
    values = {"x": 'a "b" #c: \\d\né', "n": "0123", "t": "true", "e": ""}
    make_key(tmp_path)

    write_encrypted(tmp_path / "s.age", secrets_text(values))

    assert read_secrets(tmp_path / "s.age") == values
    assert secret(tmp_path, "age", "s.age")["x"] == values["x"]
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "s.age").stat().st_mode & 0o777 == 0o600


def test_numbers_and_words_stay_as_they_are_written() -> None:
    assert parse_secrets("a: 1.10\nb: yes\nc: true\nd: 0x1F\ne:\n", "f") == {
        "a": "1.10", "b": "yes", "c": "true", "d": "0x1F", "e": "",
    }  # fmt: skip


def test_a_colleague_named_beside_the_file_can_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs").mkdir()
    theirs, public = make_key(tmp_path / "theirs")
    make_key(tmp_path)
    (tmp_path / RECIPIENTS).write_text(f"# Ada\n{public}\n")

    write_encrypted(tmp_path / "s.age", "x: shared\n")

    monkeypatch.setenv("CHANGEOVER_AGE_KEY_FILE", str(theirs))
    assert read_secrets(tmp_path / "s.age") == {"x": "shared"}


def refusal(secrets: Secrets) -> InvalidInstance:
    with pytest.raises(InvalidInstance) as refused:
        _ = secrets["x"]
    return refused.value


def test_a_missing_secret_is_named_with_where_it_belongs(tmp_path: Path) -> None:
    assert "the environment has no NOBODY_SET" in str(
        refusal(secret(tmp_path, "env", "NOBODY_SET"))
    )
    assert f"{tmp_path}/gone: no such file" in str(refusal(secret(tmp_path, "file", "gone")))
    assert "exited 3: no luck" in str(
        refusal(secret(tmp_path, "command", "sh", "-c", "echo no luck >&2; exit 3"))
    )
    assert "No such file" in str(refusal(secret(tmp_path, "command", "no-such-program-here")))
    assert "s.age: no such file" in str(refusal(secret(tmp_path, "age", "s.age")))


def test_a_secret_that_is_not_in_the_age_file_names_the_nearest(tmp_path: Path) -> None:
    make_key(tmp_path)
    write_encrypted(tmp_path / "s.age", "database_url: v4lue\n")

    error = refusal(secret(tmp_path, "age", "s.age", key="databse_url"))

    assert "has no `databse_url`" in error.message
    assert "did you mean `database_url`?" in error.remedy
    assert "v4lue" not in error.message + error.remedy


def test_a_wrong_or_missing_key_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").mkdir()
    make_key(tmp_path)
    write_encrypted(tmp_path / "s.age", "x: 1\n")
    other, _ = make_key(tmp_path / "other")

    monkeypatch.setenv("CHANGEOVER_AGE_KEY_FILE", str(other))
    assert "cannot be decrypted" in refusal(secret(tmp_path, "age", "s.age")).message
    monkeypatch.setenv("CHANGEOVER_AGE_KEY_FILE", str(tmp_path / "gone"))
    assert "cannot be read" in refusal(secret(tmp_path, "age", "s.age")).message
    monkeypatch.delenv("CHANGEOVER_AGE_KEY_FILE")
    (tmp_path / KEY).unlink()
    assert "no key to decrypt with" in refusal(secret(tmp_path, "age", "s.age")).message


@pytest.mark.parametrize("content", [b"", b"junk", b"\xff\xfe" * 100, b"age-encryption.org/v1\n"])
def test_a_file_that_is_not_encrypted_is_refused(tmp_path: Path, content: bytes) -> None:
    make_key(tmp_path)
    (tmp_path / "s.age").write_bytes(content)

    assert "cannot be decrypted" in refusal(secret(tmp_path, "age", "s.age")).message


def test_values_are_resolved_once_told_to_the_masker_and_never_shown(tmp_path: Path) -> None:
    learned: list[str] = []
    counter = tmp_path / "count"
    words = ("sh", "-c", f"echo x >> {counter}; echo c4nary")
    secrets = Secrets({"x": Reference("command", words)}, tmp_path, learned.append)

    assert "x" in secrets
    assert not counter.exists()
    assert [secrets["x"], secrets["x"]] == ["c4nary", "c4nary"]
    assert counter.read_text() == "x\n"
    assert learned == ["c4nary"]
    assert "c4nary" not in repr(secrets) + str(secrets)


def test_an_unreadable_secret_file_never_shows_a_value() -> None:
    with pytest.raises(InvalidInstance) as refused:
        parse_secrets("a: {c4nary: c4nary2}\n", "s.age")

    assert "s.age:1:4: `a` must be one value" in refused.value.message
    assert "c4nary" not in refused.value.message


def test_a_cut_age_file_is_said_to_be_cut_and_no_key_is_asked_for(tmp_path: Path) -> None:
    make_key(tmp_path)
    file = tmp_path / "s.age"
    write_encrypted(file, secrets_text({"x": "a long secret " * 20}))
    whole = file.read_bytes()

    for size in (0, 10, 40, len(whole) // 2, len(whole) - 30):
        file.write_bytes(whole[:size])
        with pytest.raises(InvalidInstance, match="damaged or cut") as refused:
            read_secrets(file)
        assert "git checkout" in refused.value.remedy
        assert "CHANGEOVER_AGE_KEY_FILE" not in refused.value.remedy


def test_a_key_whose_making_was_killed_is_made_again(tmp_path: Path) -> None:
    (tmp_path / KEY).touch()

    _, public = make_key(tmp_path)

    assert public in (tmp_path / KEY).read_text()


def test_a_program_whose_child_holds_its_output_is_waited_for_no_longer_than_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("changeover.instances.secrets.COMMAND_LIMIT", 2)
    program = tmp_path / "ask"
    program.write_text(
        f"#!/bin/sh\nsh -c 'echo $$ >{tmp_path}/child; exec sleep 600'\necho never\n"
    )
    program.chmod(0o700)

    with pytest.raises(InvalidInstance, match=r"took more than"):
        secret(tmp_path, "command", str(program))["x"]

    child = int((tmp_path / "child").read_text())
    assert await_outcome(lambda: birth(child) is None, 30)
