"""Bringing paths to a wanted state, and back: the shared ground of every action that writes files.

`before` of their changes is `{"paths": {path: state}, "wrote": {path: digest or target}}`, where a
state is a `FileState` without its content: the content is in the host's store, by its digest.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from changeover.actions.back import difference_back, effect_of, overall, put_back, remember
from changeover.actions.base import Action
from changeover.actions.diffs import unified
from changeover.actions.foreseen import is_open, missing
from changeover.actions.wanted import Wanted, is_met, lay, refuse_surprise, strays
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import FileState, Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import coreutils

_HINDRANCES = {
    "no": (
        "not writable",
        "Connect as a user who may write it, or `become`; if the file system is mounted read-only,"
        " mount it to be written.",
    ),
    "locked": (
        "an attribute keeps it, or its folder, from being changed",
        "See `lsattr -d` of both; take it away: chattr -ia.",
    ),
    "mounted": (
        "something is mounted on it: it cannot be replaced",
        "Unmount it; a release says `mounted: true` in files.merge to write into it.",
    ),
}


class Placing(Action):
    """An action whose whole effect is that some paths become as wanted."""

    @abstractmethod
    def wanted(self, host: Host) -> tuple[Wanted, ...]:
        """Return what must be at which path; raise `ActionFailed` where that cannot be told."""

    def check(self, host: Host) -> Iterable[Finding]:
        """Each folder must be there, be writable and have room; each owner must be known."""
        try:
            wanted = self.wanted(host)
        except ActionFailed as error:
            yield failed(error.message, error.remedy)
            return
        for want in wanted:
            yield from check_path(host, want)

    def plan(self, host: Host) -> Change:
        """Compare each path with what is wanted."""
        return difference(host, self.wanted(host))

    def foresee(self, shadow: Host, change: Change) -> None:
        """Lay the wanted paths over the shadow."""
        for want in self.wanted(shadow):
            lay(shadow, want)

    def apply(self, host: Host, change: Change) -> None:
        """Keep what is there, then replace it."""
        place(host, self.wanted(host))

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Compare each path with what was there before."""
        return difference_back(host, change)

    def undo(self, host: Host, change: Change) -> None:
        """Put back what was there, byte for byte, with its mode and owner."""
        put_back(host, change)


def difference(host: Host, wanted: Iterable[Wanted]) -> Change:
    """Say what must change for paths to become as wanted; refuse surprises."""
    found = [(want, host.look(want.path)) for want in wanted]
    for want, now in found:
        refuse_surprise(host, want, now)
    due = [(want, now) for want, now in found if not is_met(want, now)]
    done = ", ".join(want.path for want, _ in found) + " is as wanted"
    return Change(
        effect=overall(effect_of(now, want.kind) for want, now in due),
        summary="; ".join(_summary(want, now) for want, now in due) or done,
        diff="".join(_diff(want, now) for want, now in due),
        before={
            "paths": {want.path: remember(now) for want, now in found},
            "wrote": {want.path: want.mark for want, _ in found},
        },
        facts={f"file {want.path}": now.fact() for want, now in found},
        alters=tuple(f"file {want.path}" for want, _ in due),
    )


def place(host: Host, wanted: Iterable[Wanted]) -> None:
    """Bring paths to their wanted state, keeping first what is overwritten."""
    for want in wanted:
        now = host.look(want.path)
        refuse_surprise(host, want, now)
        if not is_met(want, now):
            if now.kind == "file":
                host.keep(want.path)
            lay(host, want)


def check_path(host: Host, want: Wanted) -> Iterator[Finding]:
    """Report what would keep a path from becoming as wanted."""
    now = host.look(want.path)
    try:
        refuse_surprise(host, want, now)
    except ActionFailed as error:
        yield failed(error.message, error.remedy)
        return
    if is_met(want, now):
        yield passed(f"{want.path} is as wanted")
        return
    if want.kind != "dir":
        yield from _check_folder(host, want)
    for database, name in (("passwd", want.owner), ("group", want.group)):
        if name and not host.ask(coreutils.account(database, name)).ok:
            word = "user" if database == "passwd" else "group"
            yield missing(
                host, f"{want.path}: no {word} {name}", f"Create the {word} {name} first."
            )


def _check_folder(host: Host, want: Wanted) -> Iterator[Finding]:
    folder = str(PurePosixPath(want.path).parent)
    if not host.look(folder).there:
        if want.kind != "absent":
            yield missing(host, f"{folder}: no such folder", "Add a files.directory step before.")
        return
    reply = host.ask(coreutils.room(folder, want.path))
    if not reply.ok or not reply.stdout.partition("\n")[2].strip():
        # Laid over a shadow by an earlier step: it is not on the real host yet.
        yield passed(f"{folder} will be there")
        return
    hindrance = coreutils.hindrance(reply.stdout)
    _, free = coreutils.parse_room(reply.stdout)
    needed = len(want.content or b"") // 1024 + 64
    if hindrance and not (want.in_place and hindrance == "mounted"):
        what, remedy = _HINDRANCES[hindrance]
        yield failed(f"{folder if hindrance == 'no' else want.path}: {what}", remedy)
    elif free < needed:
        yield failed(f"{folder}: {free} KiB free, {needed} needed", "Make room on its file system.")
    else:
        yield passed(f"{folder} can be written")


def check_program(host: Host, program: str) -> Iterator[Finding]:
    """Report a program that is not on the host."""
    if host.ask(coreutils.which(program)).ok:
        yield passed(f"{program} is there")
    else:
        yield missing(host, f"{program}: no such program", f"Install {program} first.")


def require_account(host: Host, name: str) -> Iterator[Finding]:
    """Report a user that is not known on the host."""
    if name and not host.ask(coreutils.account("passwd", name)).ok:
        yield missing(host, f"no user {name}", f"Create the user {name} first.")


def mode_bits(action: str, mode: str) -> int | None:
    """Turn `0640` into bits; raise `InvalidRelease` for anything else. Empty means none given."""
    if not mode:
        return None
    if not (3 <= len(mode) <= 4 and set(mode) <= set("01234567")):
        raise InvalidRelease(f"{action}: mode: {mode!r} is no mode", 'Write it like "0640".')
    return int(mode, 8)


def demand_absolute(action: str, **paths: str) -> None:
    """Raise `InvalidRelease` for a path that does not start with `/` or is not plain."""
    for name, path in paths.items():
        plain = str(PurePosixPath(path))
        if not path.startswith("/") or plain != path or ".." in path.split("/") or "\0" in path:
            raise InvalidRelease(
                f"{action}: {name}: {path!r} is no plain absolute path",
                "Start it with / and leave out `..`, `//` and a `/` at the end.",
            )


def not_yet(host: Host, path: str, change: Change) -> Change:
    """Return a change for a file that is not there yet; raise unless a step may bring it."""
    if is_open(host):
        return change
    raise ActionFailed(f"{host.name}: {path}: no such file", "Create it in an earlier step.")


def _summary(want: Wanted, now: FileState) -> str:
    effect = effect_of(now, want.kind)
    if effect is Effect.DELETE:
        return f"remove {want.path}"
    if want.kind == "link":
        word = "point" if now.kind == "link" else "link"
        return f"{word} {want.path} to {want.target}"
    told = ", ".join(strays(want, now))
    if effect is Effect.CREATE:
        return f"create {want.path}"
    if now.kind == want.kind and (want.kind == "dir" or want.mark == now.digest):
        return f"set {told} of {want.path}"
    return f"rewrite {want.path}" + (f" ({told})" if told else "")


def _diff(want: Wanted, now: FileState) -> str:
    if "dir" in (want.kind, now.kind):
        return ""
    links = "".join(
        f"{sign} {want.path} -> {target}\n"
        for sign, target in (("-", now.target), ("+", want.target))
        if target
    )
    return links + _content_diff(want, now)


def _content_diff(want: Wanted, now: FileState) -> str:
    if "file" not in (want.kind, now.kind):
        return ""
    old = now.content if now.kind == "file" else None
    if (now.kind == "file" and old is None) or (want.kind == "file" and want.content is None):
        return f"Large file {want.path}\n" if want.mark != now.digest else ""
    return unified(want.path, old, want.content if want.kind == "file" else None)
