"""Secrets in vaults and age files: made, edited, shown, moved, and never left in clear."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from changeover.cli.main import changeover
from changeover.errors import ChangeoverError, InvalidInput, InvalidInstance, NotReady
from changeover.instances.sealed import Kind, kind_of
from changeover.instances.secrettext import secret_values, with_value

MEMORY = Path("/dev/shm")  # noqa: S108 - where plain text may be


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment as the manual has it; its password is ignored by git, two folders up."""
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


def script(place: Path, body: str) -> str:
    path = place / "editor"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_a_new_file_is_sealed_as_what_is_at_hand_says(vault: Path, tmp_path: Path) -> None:
    done("set", "token", said="t#1\n")
    aged = tmp_path / "aged"
    aged.mkdir()
    done("key", "-i", str(aged))
    done("set", "token", "-i", str(aged), said="t#2\n")

    assert kind_of((vault / "secrets").read_bytes()) is Kind.VAULT
    assert kind_of((aged / "secrets.age").read_bytes()) is Kind.AGE
    assert done("view", "token") == "token: t#1\n"
    assert done("view", "token", "-i", str(aged)) == "token: t#2\n"


def test_one_value_is_sealed_where_values_are_sealed_one_by_one(vault: Path) -> None:
    (vault / "secrets").write_text("x")
    typed("encrypt", "secrets")
    sealed = (vault / "secrets").read_text().replace("\n", "\n  ").rstrip(" ")
    (vault / "secrets").write_text(f"# ours\nkey: !vault |\n  {sealed}\n# who\nuser: ana\n")

    assert typed("set", "key", said="fresh").exit_code == 0
    assert typed("generate", "uuid", "--into", "added").exit_code == 0
    refused = typed("edit")

    text = (vault / "secrets").read_text()
    assert re.sub(r"(?m)^ .*\n", "", text) == (
        "# ours\nkey: !vault |\n# who\nuser: ana\nadded: !vault |\n"
    )
    assert typed("view", "key", "user").output == "key: fresh\nuser: ana\n"
    assert "sealed one by one" in str(refused.exception)


def test_any_file_is_encrypted_and_comes_back_byte_for_byte(vault: Path) -> None:
    content = bytes(range(256)) * 3
    (vault / "blob").write_bytes(content)

    for kind in ("vault", "age"):
        if kind == "age":
            done("key")
        done("encrypt", "blob", "--as", kind)
        assert str(kind_of((vault / "blob").read_bytes())) == kind
        assert isinstance(refused("encrypt", "blob"), InvalidInput)
        done("decrypt", "blob", "--to", "clear")
        assert (vault / "clear").stat().st_mode & 0o777 == 0o600
        done("decrypt", "blob")
        assert (vault / "blob").read_bytes() == (vault / "clear").read_bytes() == content
    assert isinstance(refused("decrypt", "blob"), InvalidInput)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("instance.yaml", "format: 1\n", "the instance is read from it"),
        ("answers.yaml", "workers: 4\n", "answers"),
        ("vault-password", "open sesame\n", "is a key"),
        ("mine.txt", "AGE-SECRET-KEY-1QQQ\n", "is a key"),
    ],
)
def test_what_must_be_read_as_it_is_is_encrypted_only_when_forced(
    vault: Path, name: str, content: str, why: str
) -> None:
    (vault / name).write_text(content)
    (vault / "asset").write_text("first\n")

    error = refused("encrypt", "asset", name)

    assert why in error.message
    assert "--force" in error.remedy
    assert (vault / "asset").read_text() == "first\n"
    assert (vault / name).read_text() == content
    done(
        "encrypt",
        name,
        "--force",
        "--vault-password-file",
        str(vault.parents[1] / "vault-password"),
    )
    assert kind_of((vault / name).read_bytes()) is Kind.VAULT


def test_editing_keeps_comments_and_the_way_it_was_sealed(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (vault / "secrets").write_text("# keep me\na: old\nb: |\n  two\n  lines\n")
    done("encrypt", "secrets", "--vault-password-file", f"dev@{vault.parents[1]}/vault-password")
    monkeypatch.setenv("EDITOR", script(vault, 'sed -i s/old/new/ "$1"'))

    done("edit", "secrets")
    done("set", "b", said="one")
    done("generate", "apikey", "--into", "c")

    assert (vault / "secrets").read_text().startswith("$ANSIBLE_VAULT;1.2;AES256;dev\n")
    done("decrypt", "secrets", "--to", "clear")
    text = (vault / "clear").read_text()
    assert re.fullmatch('# keep me\na: new\nb: "one"\nc: "[0-9a-f]{64}"\n', text)


def test_plain_text_is_only_in_a_folder_of_ours_in_memory(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = vault / "seen"
    monkeypatch.setenv("EDITOR", script(
        vault, f'd=$(dirname "$1"); stat -c "%a %n" "$d" "$1" >{seen}; touch "$1~" "$d/.x.swp"; '
               f'echo "$TMPDIR" >>{seen}; echo "x: 1" >>"$1"'))  # fmt: skip

    done("edit")

    folder, file, temporary = seen.read_text().splitlines()
    assert folder.startswith(f"700 {MEMORY}/changeover-")
    assert file.startswith(f"600 {folder.removeprefix('700 ')}/")
    assert temporary == folder.removeprefix("700 ")
    assert not Path(temporary).exists()


def test_what_was_made_wrong_is_refused_and_what_there_was_is_kept(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done("set", "token", said="kept\n")

    for body in ('echo "  - x: [" >>"$1"', "exit 1", 'printf "\\377" >>"$1"', ': >"$1"', 'rm "$1"'):
        monkeypatch.setenv("EDITOR", script(vault, body))
        refused("edit")
    monkeypatch.setenv("EDITOR", "no-such-editor --wait")
    assert "no-such-editor" in refused("edit").message

    assert done("view") == "token: kept\n"


def test_of_two_edits_at_once_neither_is_lost(vault: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done("set", "token", said="kept\n")
    theirs = vault / "theirs"
    theirs.write_text("token: theirs\n")
    done("encrypt", "theirs")
    monkeypatch.setenv("EDITOR", script(vault, f'cp {theirs} {vault}/secrets; echo "x: 1" >>"$1"'))

    error = refused("edit")

    (beside,) = vault.glob("secrets.edited-*")
    assert "was changed while you edited it" in error.message
    assert str(beside) in error.remedy
    assert done("view") == "token: theirs\n"
    assert done("view", "--file", str(beside)) == "token: kept\nx: 1\n"


def test_an_empty_standard_input_sets_no_secret(vault: Path) -> None:
    error = refused("set", "token")

    assert "token: standard input is empty" in error.message
    assert not (vault / "secrets").exists()


@pytest.mark.parametrize("editor", ["vi", "vim.tiny", "vim -p", "nano", "emacs"])
def test_without_a_terminal_an_editor_that_needs_one_is_not_started(
    vault: Path, monkeypatch: pytest.MonkeyPatch, editor: str
) -> None:
    monkeypatch.setenv("EDITOR", editor)

    error = refused("edit")

    assert isinstance(error, NotReady)
    assert "needs a terminal" in error.message


def at_terminal(words: list[str], keys: Sequence[tuple[str, bytes]], limit: float = 60) -> str:
    """Run a command on a terminal of its own: each key is typed once its pattern was seen."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execvp(words[0], words)  # noqa: S606 - a child with a terminal
    shown, waiting = "", list(keys)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        ready, _, _ = select.select([master], [], [], 0.2)
        if ready:
            try:
                more = os.read(master, 65536)
            except OSError:
                break
            if not more:
                break
            shown += more.decode("utf-8", "replace")
        while waiting and re.search(waiting[0][0], shown):
            os.write(master, waiting.pop(0)[1])
    else:
        os.kill(pid, signal.SIGKILL)
        pytest.fail(f"{words} did not end:\n{shown}")
    _, status = os.waitpid(pid, 0)
    assert status == 0, shown
    return shown


@pytest.mark.live
@pytest.mark.parametrize(
    ("editor", "keys"),
    [
        ("vim.tiny", [("c4nary", b"Goadded: c5nary\x1b:wq\r")]),
        ("vim", [("c4nary", b"Goadded: c5nary\x1b:wq\r")]),
        (
            "nano",
            [
                ("c4nary", b"\x1b[B\x1b[4~added: c5nary\r\x0f"),
                ("Name to Write:|Write to File:", b"\r"),
                ("Wrote", b"\x18"),
            ],
        ),
        ("emacs", [("c4nary", b"\x1b>added: c5nary\r\x18\x13"), ("Wrote", b"\x18\x03")]),
    ],
)
def test_real_editors_leave_nothing_behind(
    vault: Path,
    monkeypatch: pytest.MonkeyPatch,
    editor: str,
    keys: list[tuple[str, bytes]],
) -> None:
    if not shutil.which(editor):
        expected = os.environ.get("CI") and editor in ("vim.tiny", "nano")
        (pytest.fail if expected else pytest.skip)(f"{editor} is not installed")
    home = Path(os.environ["HOME"])
    (home / "backups").mkdir(parents=True)
    places = f"{home}/backups"
    (home / ".vimrc").write_text(
        f"set backup backupdir={places} directory={places}\nsil! set undofile undodir={places}\n"
        f"sil! set viminfo='100,n{places}/viminfo\n"
    )
    (home / ".nanorc").write_text(f'set backup\nset backupdir "{places}"\n')
    (home / ".emacs").write_text(
        f'(setq backup-directory-alist (quote (("." . "{places}"))) make-backup-files t)\n'
        f'(setq auto-save-file-name-transforms (quote ((".*" "{places}/" t))))\n'
        f'(setq auto-save-list-file-prefix "{places}/l-" inhibit-startup-screen t)\n'
    )
    done("set", "token", said="c4nary\n")
    monkeypatch.setenv("EDITOR", f"{editor} -nw" if editor == "emacs" else editor)

    at_terminal([sys.executable, "-m", "changeover.cli.main", "secrets", "edit"], keys)

    assert done("view", "added") == "added: c5nary\n"
    written = [p for p in vault.parents[3].rglob("*") if p.is_file() and ".git/" not in str(p)]
    assert not [p for p in written if re.search(b"c[45]nary", p.read_bytes())]
    assert list((home / "backups").iterdir()) == []


@pytest.mark.live
def test_a_killed_edit_leaves_nothing_in_memory(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [sys.executable, "-m", "changeover.cli.main", "secrets", "edit"]
    place = vault / "where"
    fifo = vault / "go"
    os.mkfifo(fifo)
    monkeypatch.setenv("EDITOR", script(vault, f'dirname "$1" >{place}; read x <{fifo}'))

    for killer in (signal.SIGTERM, signal.SIGKILL):
        place.unlink(missing_ok=True)
        with subprocess.Popen(words, start_new_session=True) as process:
            while not (place.is_file() and place.read_text()):
                assert process.poll() is None
            os.kill(process.pid, killer)
            process.wait(30)
            folder = Path(place.read_text().strip())
            left = folder.exists()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        assert left == (killer is signal.SIGKILL)
    monkeypatch.setenv("EDITOR", "true")
    done("edit")

    assert not Path(place.read_text().strip()).exists()


def test_generated_values_are_what_the_platforms_take(vault: Path) -> None:
    alphabet = set("abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)")
    keys = [done("generate", "secretkey").removesuffix("\n") for _ in range(60)]

    assert {len(key) for key in keys} == {50}
    assert set().union(*keys) == alphabet
    assert re.fullmatch(r"[0-9a-f]{64}\n", done("generate", "apikey"))
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n",
                        done("generate", "uuid"))  # fmt: skip
    assert re.fullmatch(r"[A-Za-z0-9]{24}\n", done("generate", "password"))


def test_a_space_in_a_password_becomes_percent_twenty() -> None:
    assert done("url-quote", said="mdp!des?caractèressp&ciaux et/plus+\n") == (
        "mdp%21des%3Fcaract%C3%A8ressp%26ciaux%20et%2Fplus%2B\n"
    )
    assert done("url-quote", "a b") == "a%20b\n"


def test_rekey_moves_every_vault_to_the_new_password_and_can_go_on(vault: Path) -> None:
    done("set", "a", said="1")
    (vault / "assets").mkdir()
    (vault / "assets" / "initdata.yml").write_text("users: []\n")
    done("encrypt", "assets/initdata.yml")
    (vault / "home").mkdir()
    fresh = vault / "home" / "fresh"
    fresh.write_text("another\n")
    old = vault.parents[1] / "vault-password"

    assert isinstance(refused("rekey"), InvalidInput)
    done("rekey", "assets/initdata.yml", "--new-vault-password-file", str(fresh))
    done("rekey", "--new-vault-password-file", str(fresh), "--replace")

    assert old.read_text() == "another\n"
    assert done("view", "a") == "a: 1\n"
    assert done("decrypt", "assets/initdata.yml", "--to", "-") == "users: []\n"


def test_rekey_lets_a_colleague_in_whose_key_was_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHANGEOVER_AGE_KEY_FILE", raising=False)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
        done("key", "-i", str(folder))
    done("set", "a", "-i", str(ours), said="1")
    public = (theirs / "age.key").read_text().splitlines()[0].removeprefix("# public key: ")
    (ours / "age.recipients").write_text(f"{public}\n")

    done("rekey", "-i", str(ours))

    monkeypatch.setenv("CHANGEOVER_AGE_KEY_FILE", str(theirs / "age.key"))
    assert done("view", "-i", str(ours)) == "a: 1\n"


def test_the_openid_client_of_staging_goes_to_a_developers_env(vault: Path) -> None:
    for name, value in (("datapass_client_id", "id-1"), ("datapass_client_secret", 's"e\\c')):
        done("set", name, said=value)
    target = vault.parents[3] / ".env"
    target.write_text('APP_PORT=3579\n# login\nAPP_DATAPASS_CLIENT_ID="old"\nX=1\n')
    (target.parent / ".env.example").write_text("APP_DATAPASS_CLIENT_SECRET=\n")

    done("copy", "datapass_*", "--from", str(vault), "--to", str(target))
    done("copy", "datapass_client_id=OTHER", "--from", str(vault), "--to", str(target))

    assert target.read_text() == (
        'APP_PORT=3579\n# login\nAPP_DATAPASS_CLIENT_ID="id-1"\nX=1\n'
        'APP_DATAPASS_CLIENT_SECRET="s\\"e\\\\c"\nOTHER="id-1"\n'
    )
    assert isinstance(refused("copy", "nobody", "--from", str(vault), "--to", str(target)),
                      InvalidInput)  # fmt: skip
    public = vault / "public.env"
    assert (
        "not ignored" in refused("copy", "datapass_*", "--from", ".", "--to", str(public)).message
    )


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("", "a", 'a: "v"\n'),
        ("{}  # nothing secret\n", "a", '# nothing secret\na: "v"\n'),
        ("---\na: 1\n\n# about b\nb: 2\n", "a", '---\na: "v"\n\n# about b\nb: 2\n'),
        ("a: |\n  x\n  y\nb: 2", "b", 'a: |\n  x\n  y\nb: "v"\n'),
        ("a: 1", "c", 'a: 1\nc: "v"\n'),
        ("a:\n  - 1\n  - 2\nb: 2\n", "a", 'a: "v"\nb: 2\n'),
    ],
)
def test_one_value_is_set_and_all_else_stays(text: str, name: str, wanted: str) -> None:
    assert with_value(text, name, "v", "f") == wanted


def test_a_text_that_cannot_be_edited_in_place_is_refused() -> None:
    with pytest.raises(InvalidInstance):
        with_value("{a: 1, b: 2}\n", "a", "v", "f")
    with pytest.raises(InvalidInstance):
        secret_values("database_url: database_url: x\n", "f")


def test_values_come_as_they_are_written(vault: Path) -> None:
    (vault / "secrets").write_text("n: 0123\nt: true\nl: [1, a]\n")

    assert json.loads(done("view", "-o", "json")) == {"n": "0123", "t": "true", "l": '[1, "a"]'}
    assert isinstance(refused("edit"), NotReady)
    assert isinstance(refused("set", "x", said="1"), NotReady)
