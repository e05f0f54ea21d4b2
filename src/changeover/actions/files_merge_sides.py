"""The texts of a merge as they are on a host, and what a killed merge left of them.

Beside the records of references (`changeover.bases.record`) a merge keeps, while it writes, what it
is about to write: `NAME.new`, and `NAME.coming`, the digests of old and new before the reference.
So a kill in the middle is told from an operator's edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import dirname, join, normpath

from changeover.bases.base import Base
from changeover.bases.record import record_path
from changeover.errors import ActionFailed
from changeover.hosts.host import FileState, Host

MOST_LINKS = 40
"""How many links a path may lead through, as in Linux."""


@dataclass(frozen=True)
class Coming:
    """A merge that was being written when somebody killed it."""

    old: str
    """Digest of what was there; empty for nothing."""
    new: str
    theirs: bytes


@dataclass(frozen=True)
class Side:
    """A file on a host, behind every link that leads to it."""

    path: str
    state: FileState
    text: bytes | None
    """None where there is no file."""


def real_path(host: Host, path: str) -> str:
    """Return where a path really leads; raise `ActionFailed` where links go round."""
    done, todo, links = "/", path.strip("/").split("/"), 0
    while todo:
        step = join(done, todo.pop(0))
        state = host.look(step)
        if state.kind != "link":
            done = step
            continue
        links += 1
        if links > MOST_LINKS:
            raise ActionFailed(f"{host.name}: {path}: leads through too many links", "Cut one.")
        whole = normpath(join(dirname(step), state.target, *todo))
        done, todo = "/", whole.strip("/").split("/")
    return done


def side(host: Host, path: str) -> Side:
    """Return a file as it is, or as it was before a write into it was cut."""
    real = real_path(host, path)
    state = host.look(real)
    if not state.there:
        return Side(real, state, None)
    if state.kind != "file":
        what = "a folder" if state.kind == "dir" else state.kind
        raise ActionFailed(f"{host.name}: {path}: {what}, not a file", "Name a file.")
    if state.content is None:
        raise ActionFailed(f"{host.name}: {path}: larger than 1 MiB", "Such files are not merged.")
    return Side(real, state, _untorn(host, real, state.content, state.digest))


def coming(host: Host, path: str) -> Coming | None:
    """Return the write to a real path that has begun and not ended."""
    kept = host.read(coming_path(host, path))
    if kept is None:
        return None
    head, _, theirs = kept.partition(b"\n")
    old, _, new = head.decode().partition(" ")
    return Coming("" if old == "-" else old, new, theirs)


def announce(host: Host, path: str, found: Coming, content: bytes) -> None:
    """Keep what is about to be written, before it is."""
    host.make_folder(dirname(coming_path(host, path)), mode=0o700)
    host.write(new_path(host, path), content, mode=0o600)
    head = f"{found.old or '-'} {found.new}\n".encode()
    host.write(coming_path(host, path), head + found.theirs, mode=0o600)


def forget(host: Host, path: str) -> None:
    """Forget a write that has come to its end."""
    host.remove(coming_path(host, path))
    host.remove(new_path(host, path))


def coming_path(host: Host, path: str) -> str:
    """Return where a write that has begun is kept."""
    return f"{record_path(host, path)}.coming"


def new_path(host: Host, path: str) -> str:
    """Return where its content is kept."""
    return f"{record_path(host, path)}.new"


def stored(host: Host, digest: str) -> str:
    """Return where the host's store keeps a content."""
    return f"{host.state_dir}/store/{digest}"


def is_torn(now: bytes, whole: bytes | None) -> bool:
    """Say whether a content is what a cut write of another one leaves."""
    return whole is not None and now != whole and whole.startswith(now)


def finished_base(host: Host, path: str, state: FileState) -> Base | None:
    """Return the base of a file that was written, and whose record was not."""
    found = coming(host, path)
    if found is None or found.new != state.digest:
        return None
    return Base(found.theirs, "the reference of the merge that was cut")


def _untorn(host: Host, path: str, now: bytes, digest: str) -> bytes:
    found = coming(host, path)
    if found is None or digest in (found.old, found.new) or not found.old:
        return now
    if not is_torn(now, host.read(new_path(host, path))):
        return now  # somebody's edit since
    before = host.read(stored(host, found.old))
    return now if before is None else before
