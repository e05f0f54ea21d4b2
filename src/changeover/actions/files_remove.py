"""Removing files, links and folders so that they can come back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from changeover.actions import back
from changeover.actions.base import Action
from changeover.actions.paths import check_path, demand_absolute, difference, place
from changeover.actions.wanted import Wanted
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import ABSENT, FileState, Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import coreutils

NEVER = frozenset(
    f"/{name}"
    for name in (
        "",
        "bin",
        "boot",
        "dev",
        "etc",
        "home",
        "lib",
        "lib64",
        "media",
        "mnt",
        "opt",
        "proc",
        "root",
        "run",
        "sbin",
        "srv",
        "sys",
        "tmp",
        "usr",
        "var",
    )
)
"""Folders that are never removed, whatever a release says."""


@dataclass(frozen=True)
class Remove(Action):
    """Remove a file or a link; with `recursive` also a folder and all that is in it.

    A file is kept in the host's store and a folder as an archive there, so both can come back.
    """

    name: ClassVar[str] = "files.remove"

    path: str
    """What to remove."""
    recursive: bool = False
    """Whether a folder may be removed with all that is in it. What is mounted inside stays."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, path=self.path)
        if self.path in NEVER:
            raise InvalidRelease(
                f"{self.name}: {self.path} is never removed", "Name what is in it."
            )

    def check(self, host: Host) -> Iterable[Finding]:
        """A folder needs `recursive`, and room for its archive."""
        now = host.look(self.path)
        if now.kind != "dir":
            yield from check_path(host, self._wanted())
        elif not self.recursive:
            yield failed(f"{self.path} is a folder", "Say `recursive: true` to remove all of it.")
        else:
            yield from self._check_room(host)

    def plan(self, host: Host) -> Change:
        """See what is there."""
        now = host.look(self.path)
        if now.kind != "dir":
            return difference(host, [self._wanted()])
        if not self.recursive:
            raise ActionFailed(
                f"{host.name}: {self.path} is a folder", "Say `recursive: true` to remove it."
            )
        return self._plan_folder(host, now)

    def foresee(self, shadow: Host, change: Change) -> None:
        """Take the path away from the shadow."""
        shadow.remove(self.path)

    def apply(self, host: Host, change: Change) -> None:
        """Keep it, then remove it."""
        if "archive" in change.before:
            host.do_once(coreutils.archive_and_remove(self.path, change.before["archive"]))
        else:
            place(host, [self._wanted()])

    def plan_undo(self, host: Host, change: Change) -> Change:
        """See whether the path is as it was."""
        if "archive" not in change.before:
            return back.difference_back(host, change)
        now = host.look(self.path)
        facts = {f"file {self.path}": now.fact()}
        if now.there:
            return Change(Effect.NONE, f"{self.path} is there", facts=facts)
        return Change(
            Effect.CREATE,
            f"bring back {self.path} with {change.before['entries']} entries",
            commands=(str(coreutils.unpack(change.before["archive"], self.path)),),
            facts=facts,
            alters=(f"file {self.path}",),
        )

    def undo(self, host: Host, change: Change) -> None:
        """Bring it back."""
        if "archive" not in change.before:
            back.put_back(host, change)
        elif not host.look(self.path).there:
            host.do(coreutils.unpack(change.before["archive"], self.path))

    def _wanted(self) -> Wanted:
        return Wanted(self.path, "absent")

    def _plan_folder(self, host: Host, now: FileState) -> Change:
        seen = coreutils.parse_fingerprint(host.do(coreutils.fingerprint(self.path)))
        fingerprint, entries, kib = seen
        archive = f"{host.state_dir}/store/folder-{fingerprint[:32]}.tar"
        return Change(
            Effect.DELETE,
            f"remove {self.path} with {entries} entries ({kib} KiB)",
            commands=(str(coreutils.archive_and_remove(self.path, archive)),),
            before={"archive": archive, "fingerprint": fingerprint, "entries": entries},
            facts={f"file {self.path}": f"{now.fact()} {fingerprint[:16]}"},
            alters=(f"file {self.path}",),
        )

    def _check_room(self, host: Host) -> Iterator[Finding]:
        _, _, kib = coreutils.parse_fingerprint(host.do(coreutils.fingerprint(self.path)))
        store = _nearest(host, f"{host.state_dir}/store")
        writable, free = coreutils.parse_room(host.do(coreutils.room(store)))
        if not writable:
            yield failed(f"{store}: not writable", "Connect as a user who may, or `become: sudo`.")
        elif free < kib:
            yield failed(
                f"{store}: {free} KiB free, {kib} needed to keep {self.path}", "Make room."
            )
        else:
            yield passed(f"{self.path} can be kept and removed")


def _nearest(host: Host, path: str) -> str:
    """Return the nearest folder above a path that is there."""
    while path and host.look(path) == ABSENT:
        path = path.rpartition("/")[0]
    return path or "/"
