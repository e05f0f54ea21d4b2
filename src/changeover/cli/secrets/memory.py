"""A folder in memory for plain text, and editors that leave nothing anywhere else."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from changeover.errors import NotReady

MEMORY = ("/dev/shm", "/run/shm")  # noqa: S108 - memory, not a disk: that is the point
MEMORY_KINDS = frozenset(("tmpfs", "ramfs"))
PREFIX = "changeover-"
SIGNALS = (signal.SIGTERM, signal.SIGHUP)

# Swap, backup, undo and history files would outlive the text; each editor is told to write none.
# A setting an editor was built without must not stop it with a question.
_VIM = ("nobackup", "nowritebackup", "noundofile", "noswapfile", "viminfo=", "shada=")
_EMACS = (
    "(setq make-backup-files nil auto-save-default nil create-lockfiles nil"
    " auto-save-list-file-prefix nil backup-inhibited t version-control 'never)"
)
_TERMINAL = frozenset(
    ("vi", "vim", "nvim", "nano", "pico", "emacs", "joe", "mcedit", "micro", "hx")
)


@contextmanager
def memory_folder() -> Iterator[Path]:
    """Give a folder of mode 0700 that is in memory, and remove it with all that is in it."""
    usual = (os.environ.get("XDG_RUNTIME_DIR", ""), *MEMORY)
    places = [place for place in usual if place and _in_memory(place)]
    if not places:
        raise NotReady(
            "no folder in memory to edit in: /dev/shm is missing",
            "use `changeover secrets set NAME`, which writes no plain text",
        )
    for place in places:
        _sweep(Path(place))
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=places[0]))
    try:
        with _ending_in_order():
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def edit_text(plain: Path) -> None:
    """Let the operator edit a file of a memory folder; raises `NotReady` where that fails."""
    words = editor_words(plain)
    name = _kind(words[0])
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if name in _TERMINAL and not terminal:
        raise NotReady(
            f"{name} needs a terminal, and this is none",
            "set one secret from standard input: changeover secrets set NAME < FILE",
        )
    # Whatever an editor calls temporary goes where the plain text is, and with it.
    environment = {**os.environ, "TMPDIR": str(plain.parent)}
    given = None if terminal else subprocess.DEVNULL
    try:
        done = subprocess.run(words, env=environment, stdin=given, check=False)
    except OSError as error:
        raise NotReady(f"{words[0]}: {error.strerror}", "set EDITOR to an editor") from None
    if done.returncode:
        raise NotReady(f"{words[0]} exited {done.returncode}: nothing was kept", "try again")


def editor_words(plain: Path) -> list[str]:
    """Return the command that edits a file: VISUAL or EDITOR, told to leave no copies."""
    said = os.environ.get("VISUAL") or os.environ.get("EDITOR") or _installed()
    try:
        words = shlex.split(said)
    except ValueError:
        words = said.split()
    if not words:
        raise NotReady("EDITOR is empty", "set it to an editor: export EDITOR=nano")
    return [*words, *_discretion(words[0]), str(plain)]


def _installed() -> str:
    return next((name for name in ("vi", "vim", "nano", "emacs") if shutil.which(name)), "vi")


def _kind(program: str) -> str:
    """Return an editor's name without its variant: vim.tiny and vim.nox are vim."""
    return Path(program).name.partition(".")[0]


def _discretion(program: str) -> list[str]:
    """Return the options that keep an editor from writing anything but the file."""
    name = _kind(program)
    if name == "vi":
        name = _kind(str(Path(shutil.which(program) or program).resolve()))
    if name in ("vim", "nvim", "gvim"):
        quiet = " | ".join(f"silent! set {setting}" for setting in _VIM)
        # No swap file from the first byte on: `-c` comes after the file was read.
        return ["-n", "-c", quiet, *(["-f"] if name == "gvim" else [])]
    if name == "nano":
        return ["--ignorercfiles"]
    return ["--eval", _EMACS] if name == "emacs" else []


def _in_memory(place: str) -> bool:
    if not os.access(place, os.W_OK):
        return False
    real = str(Path(place).resolve())
    mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    holding = [w for w in map(str.split, mounts) if real == w[1] or real.startswith(f"{w[1]}/")
               or w[1] == "/"]  # fmt: skip
    return bool(holding) and max(holding, key=lambda w: len(w[1]))[2] in MEMORY_KINDS


def _sweep(place: Path) -> None:
    """Remove what a process of ours that was killed left there."""
    for folder in place.glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            with suppress(OSError):
                if folder.stat().st_uid == os.getuid():
                    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Turn the signals that would end us at once into an end that cleans up."""

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in SIGNALS}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
