"""Files of a host, each operation one request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from shlex import quote

from changeover.errors import ActionFailed
from changeover.hosts.calls import (
    COPYING,
    MAKE_ROOM,
    Calls,
    Request,
    absolute,
    is_full,
    last_line,
    literal,
)
from changeover.hosts.channel import Call
from changeover.hosts.host import ABSENT, FileState, digest

CONTENT_CAP = 1 << 20
"""Bytes of the largest file whose content `look` brings along."""
LOOKS = 3
"""How often a file is read again that changes meanwhile."""
UNSIZED = ("/proc/", "/sys/")
"""Where the size of a file says nothing about its content."""


class Files(Calls):
    """Looking at files and replacing them."""

    def look(self, path: str) -> FileState:
        """Return what is at a path (not following a link)."""
        for _ in range(LOOKS):
            call = self._files(f"co_look {absolute(path)} {CONTENT_CAP}", f"look at {path}", "")
            state = _parse(bytes(call.out), path)
            if state is not None:
                return state
        raise ActionFailed(f"{self.name}: {path}: changes while it is read")

    def laid(self, folder: str) -> Mapping[str, FileState]:
        """Return nothing: what is here is real."""
        return {}

    def write(self, path: str, content: bytes, *, mode: int, owner: str, group: str) -> None:
        """Replace a file in one rename."""
        where = f"{quote(_beside(path))} {absolute(path)} {mode:o} {quote(_spec(owner, group))}"
        text = literal(content)
        if text is None:
            words = f"co_write {where} <{self._sent_ahead(content)}"
        else:
            words = f"co_print {where} {text}"
        self._files(words, f"write {path}")

    def remove(self, path: str) -> None:
        """Remove a file, link or empty folder if it is there."""
        self._files(f"co_remove {absolute(path)}", f"remove {path}")

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link, replacing a link or file in one rename."""
        words = f"co_link {quote(_beside(path))} {absolute(path)} {quote(target)}"
        self._files(words, f"link {path}")

    def make_folder(self, path: str, *, mode: int, owner: str, group: str) -> None:
        """Make a folder (parents too), or give the one that is there this mode and owner."""
        words = f"co_make_folder {absolute(path)} {mode:o} {quote(_spec(owner, group))}"
        self._files(words, f"make {path}")

    def keep(self, path: str) -> str:
        """Copy a file into the host's store and return its digest."""
        words = f"co_keep {absolute(path)} new.{os.urandom(8).hex()}"
        return self._files(words, f"keep {path}", slow=True).out.decode()

    def restore(self, digest: str, path: str, *, mode: int, owner: str, group: str) -> None:
        """Bring a kept content back to a path in one rename, byte for byte."""
        where = f"{quote(_beside(path))} {absolute(path)} {mode:o} {quote(_spec(owner, group))}"
        self._files(f"co_restore {quote(digest)} {where}", f"restore {path}", slow=True)

    def _files(
        self, words: str, doing: str, what: str | None = None, *, slow: bool = False
    ) -> Call:
        what = doing if what is None else what
        if slow:
            text = f"( co_go && {words} ) </dev/null"
            call = self._ask(Request(text, what, COPYING, apart=True), doing)
        else:
            call = self._ask(Request(words, what), doing)
        if call.code != 0:
            said = last_line(call)
            raise ActionFailed(f"{self.name}: {doing}: {said}", MAKE_ROOM if is_full(said) else "")
        return call


def _beside(path: str) -> str:
    """Return a new name in the folder of the path, where a rename is one step."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/.{name[:200]}.{os.urandom(8).hex()}"


def _spec(owner: str, group: str) -> str:
    return f"{owner}:{group}" if group else owner


def _parse(answer: bytes, path: str) -> FileState | None:
    """Return the state in an answer of `co_look`; None if the file changed while it was read."""
    line, _, rest = answer.partition(b"\n")
    kind, *fields = line.decode(errors="replace").split()
    if kind == "absent":
        return ABSENT
    if kind == "link":
        return FileState("link", 0o777, target=rest.decode(errors="surrogateescape"))
    mode, owner, group, uid, gid = fields[:5]
    owner, group = owner if owner != "UNKNOWN" else uid, group if group != "UNKNOWN" else gid
    if kind != "file":
        return FileState(kind, int(mode, 8), owner, group)
    size = int(fields[5])
    if size > CONTENT_CAP:
        return FileState("file", int(mode, 8), owner, group, rest.decode().split()[0])
    if len(rest) != size and not path.startswith(UNSIZED):
        return None
    return FileState("file", int(mode, 8), owner, group, digest(rest), "", rest)
