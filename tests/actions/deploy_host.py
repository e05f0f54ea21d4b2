"""A host that is this machine, for the live tests of deployment actions."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from changeover.actions.base import Action
from changeover.actions.builtin import build
from changeover.hosts.command import Command, Completed
from changeover.hosts.host import ABSENT, FileState, Host, digest
from changeover.model.plan import Change


@dataclass
class Direct:
    """Runs each command by itself on this machine."""

    store: Path
    finished: dict[str, Completed] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)

    def run(self, command: Command, *, timeout: float, silence: float | None) -> Completed:
        self.ran.append(str(command))
        done = subprocess.run(
            command.words, input=command.stdin, cwd=command.cwd or None, check=False,
            env={**os.environ, **command.env}, capture_output=True, timeout=timeout,
        )  # fmt: skip
        return Completed(done.returncode, done.stdout.decode(), done.stderr.decode())

    def once(
        self, key: str, command: Command, *, timeout: float, silence: float | None
    ) -> Completed:
        if key not in self.finished:
            self.finished[key] = self.run(command, timeout=timeout, silence=silence)
        return self.finished[key]

    def look(self, path: str) -> FileState:
        at = Path(path)
        try:
            stat = at.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return ABSENT
        owner, group = pwd.getpwuid(stat.st_uid).pw_name, grp.getgrgid(stat.st_gid).gr_name
        if at.is_symlink():
            return FileState("link", target=str(at.readlink()))
        if at.is_dir():
            return FileState("dir", stat.st_mode & 0o7777, owner, group)
        content = at.read_bytes()
        return FileState("file", stat.st_mode & 0o7777, owner, group, digest(content), "", content)

    def write(self, path: str, content: bytes, *, mode: int, owner: str, group: str) -> None:
        Path(path).write_bytes(content)
        Path(path).chmod(mode)

    def remove(self, path: str) -> None:
        at = Path(path)
        if at.is_dir() and not at.is_symlink():
            at.rmdir()
        else:
            at.unlink(missing_ok=True)

    def link(self, path: str, target: str) -> None:
        fresh = Path(f"{path}.fresh")
        fresh.symlink_to(target)
        fresh.replace(path)

    def make_folder(self, path: str, *, mode: int, owner: str, group: str) -> None:
        Path(path).mkdir(parents=True, exist_ok=True)
        Path(path).chmod(mode)

    def keep(self, path: str) -> str:
        content = Path(path).read_bytes()
        (self.store / digest(content)).write_bytes(content)
        return digest(content)

    def restore(self, digest: str, path: str, *, mode: int, owner: str, group: str) -> None:
        shutil.copy(self.store / digest, path)

    def announce(self, line: str) -> None:
        """Nobody listens."""


def this_machine(folder: Path) -> Host:
    store = folder / "state"
    store.mkdir(exist_ok=True)
    return Host("here", Direct(store), str(store), key="run/step/1")


def carried_out(host: Host, action: Action) -> Change:
    """Plan, apply and verify, as a run does."""
    change = action.plan(host)
    if change.needed:
        action.apply(host, change)
    action.verify(host, change)
    return change


def taken_back(host: Host, action: Action, change: Change) -> None:
    """Undo twice, as a killed and resumed undo does; nothing may be left to undo."""
    action.undo(host, change)  # type: ignore[attr-defined]  # every action given here has it
    action.undo(host, change)  # type: ignore[attr-defined]  # the same
    left = action.plan_undo(host, change)  # type: ignore[attr-defined]  # the same
    assert not left.needed, left.summary


__all__ = ["build", "carried_out", "taken_back", "this_machine"]
