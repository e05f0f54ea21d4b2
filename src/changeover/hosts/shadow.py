"""A host as it will be: reads pass through, writes are only laid over what is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from posixpath import dirname, join, normpath
from typing import NoReturn

from changeover.errors import ActionFailed
from changeover.hosts.command import Command, Completed
from changeover.hosts.host import ABSENT, FileState, Host, Transport, digest
from changeover.hosts.tenure import Lease, Leftover

MOST_LINKS = 40
"""How many links a path may lead through, as in Linux."""


def shadow_of(host: Host) -> Host:
    """Return a fresh shadow of a host."""
    return replace(host, transport=ShadowTransport(host.transport))


class ShadowTransport:
    """Lays files, links and folders over those of a host, which stays as it is.

    Commands see the real host: what they would read of the overlay is known at run time only.
    """

    def __init__(self, base: Transport) -> None:
        self._base = base
        self._laid: dict[str, FileState] = {}
        self._kept: dict[str, FileState] = {}
        self._seen: dict[str, FileState] = {}

    @property
    def who(self) -> tuple[str, str, str]:
        """Return number, name and group of the user the host works as."""
        return self._base.who

    def run(self, command: Command, *, timeout: float, silence: float | None) -> Completed:
        """Ask the real host: planning only reads."""
        return self._base.run(command, timeout=timeout, silence=silence)

    def once(
        self, key: str, command: Command, *, timeout: float, silence: float | None
    ) -> Completed:
        """Refuse: what happens once is never foreseen."""
        raise ActionFailed(f"`{command}`: known at run time: it is not run while planning")

    def look(self, path: str) -> FileState:
        """Return what was laid at the path, or is there."""
        return self._at(self._resolved(path))

    def laid(self, folder: str) -> Mapping[str, FileState]:
        """Return what was laid below a folder."""
        below = f"{self._resolved(folder)}/"
        return {path: state for path, state in self._laid.items() if path.startswith(below)}

    def write(self, path: str, content: bytes, *, mode: int, owner: str, group: str) -> None:
        """Lay a file."""
        state = FileState("file", mode, digest=digest(content), content=content)
        self._lay(path, state, owner, group)

    def remove(self, path: str) -> None:
        """Lay an absence."""
        self._put(self._resolved(path), ABSENT)

    def link(self, path: str, target: str) -> None:
        """Lay a link."""
        self._put(self._resolved(path), FileState("link", 0o777, target=target))

    def make_folder(self, path: str, *, mode: int, owner: str, group: str) -> None:
        """Lay a folder and those above it that are missing."""
        above = dirname(self._resolved(path))
        while above != "/" and not self._at(above).there:
            self._lay(above, FileState("dir", 0o755), "", "")
            above = dirname(above)
        self._lay(path, FileState("dir", mode), owner, group)

    def keep(self, path: str) -> str:
        """Remember the file; nothing is stored on the host."""
        state = self.look(path)
        if state.kind != "file":
            raise ActionFailed(f"{path}: not a file")
        self._kept[state.digest] = state
        return state.digest

    def restore(self, digest: str, path: str, *, mode: int, owner: str, group: str) -> None:
        """Lay a file with this digest; its content is known if it was kept here."""
        kept = self._kept.get(digest, FileState("file", digest=digest))
        self._lay(path, replace(kept, mode=mode), owner, group)

    def announce(self, line: str) -> None:
        """Do nothing: planning leaves no trace."""

    def flush(self) -> None:
        """Do nothing: there is nothing to write."""

    def journal_lines(self) -> list[str]:
        """Return the journal of the real host."""
        return self._base.journal_lines()

    def close(self) -> None:
        """Do nothing: the real host is closed by whoever opened it."""

    def lock_show(self) -> Lease | None:
        """Return who has the real host."""
        return self._base.lock_show()

    def leftover(self) -> Leftover | None:
        """Return what runs on the real host."""
        return self._base.leftover()

    def running(self, prefix: str = "") -> tuple[str, ...]:
        """Return what runs on the real host."""
        return self._base.running(prefix)

    def lock_take(
        self, token: int, holder: str, ttl: float, *, force: bool = False
    ) -> Lease | None:
        """Refuse: a shadow is not worked on."""
        _refuse("lock_take")

    def lock_renew(self) -> None:
        """Refuse: a shadow is not worked on."""
        _refuse("lock_renew")

    def lock_release(self) -> None:
        """Refuse: a shadow is not worked on."""
        _refuse("lock_release")

    def arm(self, token: int) -> None:
        """Refuse: a shadow is not worked on."""
        _refuse("arm")

    def wait_leftover(self, timeout: float) -> bool:
        """Refuse: a shadow is not worked on."""
        _refuse("wait_leftover")

    def end_leftover(self) -> bool:
        """Refuse: a shadow is not worked on."""
        _refuse("end_leftover")

    def cancel(self, key: str) -> None:
        """Refuse: a shadow is not worked on."""
        _refuse("cancel")

    def retire(self, prefix: str) -> None:
        """Refuse: a shadow is not worked on."""
        _refuse("retire")

    def _lay(self, path: str, state: FileState, owner: str, group: str) -> None:
        """Put a state at a path; an owner not given is that of what was there, or ours."""
        path = self._resolved(path)
        old = self._at(path)
        if old.kind in ("file", "dir"):
            owner, group = owner or old.owner, group or old.group
        if not owner or not group:
            _, user, primary = self._base.who
            owner, group = owner or user, group or primary
        self._put(path, replace(state, owner=owner, group=group))

    def _put(self, path: str, state: FileState) -> None:
        for below in [laid for laid in self._laid if laid.startswith(f"{path}/")]:
            if state.kind != "dir":
                del self._laid[below]
        self._laid[path] = state

    def _at(self, path: str) -> FileState:
        """Return the state at a path whose folders are no links."""
        if path in self._laid:
            return self._laid[path]
        above = dirname(path)
        while above != "/":
            if self._laid.get(above, FileState("dir")).kind != "dir":
                return ABSENT
            above = dirname(above)
        return self._base.look(path)

    def _resolved(self, path: str) -> str:
        """Follow the links in the folders of a path, laid and real ones, but not its last part."""
        path = normpath(path)
        if not self._laid or path == "/":
            return path
        done, todo, links = "/", path.strip("/").split("/"), 0
        while len(todo) > 1:
            step = join(done, todo.pop(0))
            state = self._folder(step)
            if state.kind != "link":
                done = step
                continue
            links += 1
            if links > MOST_LINKS:
                raise ActionFailed(f"{path}: leads through too many links")
            whole = normpath(join(done, state.target, *todo))
            done, todo = "/", whole.strip("/").split("/")
        return join(done, todo[0])

    def _folder(self, path: str) -> FileState:
        if path in self._laid:
            return self._laid[path]
        if path not in self._seen:
            self._seen[path] = self._at(path)
        return self._seen[path]


def _refuse(asked: str) -> NoReturn:
    raise RuntimeError(f"{asked} was asked of a shadow")
