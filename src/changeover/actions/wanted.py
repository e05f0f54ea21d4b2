"""What must be at a path, and laying it there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from changeover.errors import ActionFailed
from changeover.hosts.host import FileState, Host, digest


@dataclass(frozen=True)
class Wanted:
    """What must be at a path."""

    path: str
    kind: str = "file"
    """`file`, `dir`, `link` or `absent`."""
    content: bytes | None = b""
    """For files; None for one too large to be read, which is then copied from `source`."""
    mode: int | None = None
    """None: as it is, or the usual one for something new."""
    owner: str = ""
    group: str = ""
    target: str = ""
    replaces: tuple[str, ...] = ()
    """Kinds it may take the place of, besides its own and nothing."""
    digest: str = ""
    source: str = ""
    in_place: bool = False
    """Whether it is written into the inode that is there, not put in its place."""

    @property
    def mark(self) -> str:
        """What tells it from other contents of the same path."""
        if self.kind == "file":
            return self.digest or digest(self.content or b"")
        return self.target


def lay(host: Host, want: Wanted) -> None:
    """Bring one path to its wanted state."""
    if want.kind == "absent":
        host.remove(want.path)
    elif want.kind == "link":
        host.link(want.path, want.target)
    elif want.kind == "dir":
        mode = host.look(want.path).mode or 0o755 if want.mode is None else want.mode
        host.make_folder(want.path, mode=mode, owner=want.owner, group=want.group)
    else:
        _lay_file(host, want)


def _lay_file(host: Host, want: Wanted) -> None:
    now = host.look(want.path)
    kept_mode = now.mode if now.kind == "file" else 0o644
    mode = kept_mode if want.mode is None else want.mode
    if want.content is not None:
        host.write(want.path, want.content, mode=mode, owner=want.owner, group=want.group)
        return
    kept = host.keep(want.source)
    host.restore(kept, want.path, mode=mode, owner=want.owner, group=want.group)


def is_met(want: Wanted, now: FileState) -> bool:
    """Say whether a path is as wanted."""
    if want.kind != now.kind:
        return False
    if want.kind == "file" and want.mark != now.digest:
        return False
    if want.kind == "link":
        return want.target == now.target
    return want.kind == "absent" or not any(strays(want, now))


def strays(want: Wanted, now: FileState) -> Iterator[str]:
    """Yield how mode, owner and group differ: `mode 0644 -> 0640`."""
    if want.mode is not None and want.mode != now.mode:
        yield f"mode {now.mode:04o} -> {want.mode:04o}"
    if want.owner and want.owner != now.owner:
        yield f"owner {now.owner} -> {want.owner}"
    if want.group and want.group != now.group:
        yield f"group {now.group} -> {want.group}"


def refuse_surprise(host: Host, want: Wanted, now: FileState) -> None:
    """Raise `ActionFailed` where something else than expected is at the path."""
    if now.kind in (want.kind, "absent", *want.replaces) or want.kind == "absent":
        return
    what = {"dir": "a folder", "link": f"a link to {now.target}", "file": "a file"}.get(
        now.kind, now.kind
    )
    wanted = {"dir": "a folder", "link": "a link", "file": "a file"}[want.kind]
    remedy = "Say `replace_link: true` to replace it." if now.kind == "link" else "Move it away."
    raise ActionFailed(f"{host.name}: {want.path}: {what} is where {wanted} should be", remedy)
