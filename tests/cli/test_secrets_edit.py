"""Secrets edited in editors: what was made wrong is refused, and nothing is left in clear."""

from __future__ import annotations

import contextlib
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

from changeover.errors import NotReady
from tests.cli.sealing import done, refused, vaulted

MEMORY = Path("/dev/shm")  # noqa: S108 - where plain text may be


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment as the manual has it; its password is ignored by git, two folders up."""
    return vaulted(tmp_path, monkeypatch)


def script(place: Path, body: str) -> str:
    path = place / "editor"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


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
