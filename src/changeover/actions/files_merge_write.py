"""Writing a merged file: its attributes kept, in place where it is mounted, safe against a kill."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from posixpath import dirname

from changeover.actions.files_merge_outcome import Outcome
from changeover.actions.files_merge_sides import Coming, announce, coming, new_path, stored
from changeover.actions.files_merge_taken import record_taken, taken_path
from changeover.actions.paths import check_path
from changeover.actions.wanted import Wanted, strays
from changeover.bases.record import record_base, record_path
from changeover.hosts.host import FileState, Host, digest
from changeover.model.findings import Finding, passed
from changeover.tools import rewriting, trial


@dataclass(frozen=True)
class Place:
    """Where a merged file goes, and whose it is to be."""

    found: Outcome
    mode: int | None
    owner: str
    group: str
    mounted: bool

    @property
    def path(self) -> str:
        """The file behind every link."""
        return self.found.there.path

    @property
    def wanted(self) -> Wanted:
        """What must be there."""
        return Wanted(
            self.path, "file", self.found.content, self.mode, self.owner, self.group,
            in_place=self.mounted,
        )  # fmt: skip

    @property
    def account(self) -> str:
        """Whom the file is to belong to, as `chown` takes it."""
        return f"{self.owner}:{self.group}" if self.group else self.owner

    @property
    def bits(self) -> str:
        """The mode the file is to have, as `chmod` takes it."""
        return "" if self.mode is None else f"{self.mode:o}"

    @property
    def like(self) -> FileState:
        """The file whose mode and owner a new one has, where the release names none."""
        return self.found.mine.state

    def strays(self, now: FileState) -> list[str]:
        """Return how mode and owner differ from those the release names."""
        return list(strays(self.wanted, now)) if now.there else []


def check_place(host: Host, place: Place) -> Iterator[Finding]:
    """Report what would keep the file from being written."""
    folder = dirname(place.path)
    if place.found.told and not host.look(folder).there:
        yield passed(f"{folder}: is made for {place.path}")
        return
    yield from check_path(host, place.wanted)


def judge(host: Host, words: Sequence[str], found: Outcome, tree: str) -> str:
    """Have a program judge the merged file on a copy; return why it refuses, or nothing.

    The copy of the tree is what steps before will have made of it: they may take files away.
    """
    path = found.there.path if found.there.path.startswith(f"{tree}/") else found.task.path
    room = f"{host.state_dir}/trial/{digest(found.content + path.encode())[:16]}"
    around = trial.Tree(tree, tuple(_around(host, tree, found)) if tree else ())
    done = host.ask(trial.judged(words, found.content, path, room, around))
    if done.ok:
        return ""
    said = (done.stderr.strip() or done.stdout.strip()).replace(f"{room}/tree", tree)
    said = said.replace(trial.copy_of(room, path, tree), path)
    return f"{path}: {words[0]} refuses it: {said}"


def _around(host: Host, tree: str, found: Outcome) -> Iterator[trial.Laid]:
    """Yield what is otherwise in the tree by the time the file is written."""
    yield from _laid(host, tree)
    for one in found.also:
        inside = one.path.removeprefix(f"{tree}/")
        if inside != one.path and one.content is not None:
            yield trial.Laid("file", inside, content=one.content)
        elif inside != one.path:
            yield trial.Laid("absent", inside)


def _laid(host: Host, tree: str) -> Iterator[trial.Laid]:
    for path, state in host.laid(tree).items():
        inside = path.removeprefix(f"{tree}/")
        if state.kind == "file" and state.content is not None:
            yield trial.Laid("file", inside, content=state.content)
        elif state.kind == "link":
            yield trial.Laid("link", inside, target=state.target)
        elif not state.there:
            yield trial.Laid("absent", inside)


def foresee(shadow: Host, place: Place) -> None:
    """Lay the files and their record over a shadow."""
    if not place.found.is_silent:
        _put(shadow, place)
    _put_also(shadow, place)
    record_taken(shadow, place.path, place.found.taken)
    record_base(shadow, place.path, place.found.task.theirs)


def write(host: Host, place: Place) -> bool:
    """Write the files and their record; return whether they are to be read again.

    What is written is announced on the host first, and `forget` must follow when all is done.
    """
    old = host.look(place.path)
    due = place.found.writes or place.found.cut or bool(place.strays(old))
    if due:
        kept = _keep(host, place, old)
        if old.kind == "file":
            manner = Manner(place.mounted, kept, place.account, place.bits)
            replace_content(host, place.path, new_path(host, place.path), manner)
        else:
            _put(host, place)
    more = _put_also(host, place)
    record = record_path(host, place.path)
    if place.found.recorded is not None:
        host.keep(record)
    if place.found.taken.due and host.look(taken_path(host, place.path)).there:
        host.keep(taken_path(host, place.path))
    record_taken(host, place.path, place.found.taken)
    record_base(host, place.path, place.found.task.theirs)
    return due or more


def _put_also(host: Host, place: Place) -> bool:
    """Write the vendor's file beside an override and take older ones away; say if any was due."""
    due = [one for one in place.found.also if one.due]
    for one in due:
        if one.state.there:
            host.keep(one.path)
        if one.content is not None:
            _make_room(host, one.path)
            host.write(one.path, one.content, mode=one.state.mode if one.state.there else 0o644)
            continue
        host.remove(one.path)
        # While the file is there, what it was made from must be known.
        for record in (record_path(host, one.path), taken_path(host, one.path)):
            if host.look(record).there:
                host.keep(record)
                host.remove(record)
    return bool(due)


def _put(host: Host, place: Place) -> None:
    old, want, like = host.look(place.path), place.wanted, place.like
    mode = want.mode if want.mode is not None else old.mode if old.kind == "file" else 0o644
    owner, group = want.owner, want.group
    if not old.there and like.kind == "file":
        # The new file of an older one: people may read it as they could before.
        mode = like.mode if want.mode is None else mode
        owner, group = owner or like.owner, group or ("" if owner else like.group)
    if place.found.told:
        _make_room(host, want.path)
    host.write(want.path, place.found.content, mode=mode, owner=owner, group=group)


def _make_room(host: Host, path: str) -> None:
    if not host.look(dirname(path)).there:
        host.make_folder(dirname(path))


def _keep(host: Host, place: Place, old: FileState) -> str:
    """Keep what is there and announce what comes; return the kept file to fall back to."""
    begun = coming(host, place.path)
    # What is there may be half of what was to come: what was kept the first time counts.
    kept = begun.old if begun else host.keep(place.path) if old.kind == "file" else ""
    content, theirs = place.found.content, place.found.task.theirs
    announce(host, place.path, Coming(kept, digest(content), theirs), content)
    return stored(host, kept) if kept else new_path(host, place.path)


@dataclass(frozen=True)
class Manner:
    """How a file that is there gets another content."""

    in_place: bool
    fallback: str
    """A file of the host with what to put back into the inode where the disk is full."""
    owner: str = ""
    mode: str = ""


def replace_content(host: Host, path: str, new: str, manner: Manner) -> None:
    """Give a file that is there the content of another file of the host."""
    attributes = {"owner": manner.owner, "mode": manner.mode}
    if manner.in_place:
        host.do(rewriting.in_place(new, path, manner.fallback, **attributes))
    else:
        host.do(rewriting.by_rename(new, path, **attributes))
