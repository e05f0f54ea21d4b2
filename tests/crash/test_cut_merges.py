"""A merge that dies at every call it makes to its host: resumed, undone, resumed and undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from changeover.actions.builtin import build
from changeover.actions.files_merge import Merge
from changeover.actions.files_merge_sides import new_path
from changeover.bases.record import record_base, record_path
from changeover.hosts.command import Command, Completed
from changeover.hosts.fake import FakeTransport, fake_file
from changeover.hosts.host import FileState, Host
from changeover.model.plan import Change
from tests.actions.live import acting

PATH = "/etc/app.toml"
BASE = "port = 80\nworkers = 2\n"
EDITED = "port = 8080\nworkers = 2\n"
REFERENCE = "port = 80\nworkers = 4\ntimeout = 30\n"
MERGED = "port = 8080\nworkers = 4\ntimeout = 30\n"

CHANGING = ("write", "remove", "make_folder", "keep", "restore", "run")
ENDINGS = {"before": ("both",), "after": ("undo",), "in": ("resume", "undo", "both")}
MOST_CALLS = 40


class Died(Exception):
    """The process is gone."""


@dataclass
class Mortal:
    """A transport that dies at its n-th change of the host: before it, after it, or in it."""

    inner: Any
    last: int
    how: str
    tear: Callable[[], None]
    calls: int = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name not in CHANGING:
            return found

        def counted(*given: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls != self.last:
                return found(*given, **named)
            if self.how == "after":
                found(*given, **named)
            elif self.how == "in" and name == "run" and "write" in str(given[0]):
                self.tear()
            raise Died

        return counted


@dataclass
class Disk(FakeTransport):
    """A host in memory; `tests/actions/test_live_files_merge.py` proves the scripts themselves."""

    def run(self, command: Command, *, timeout: float, silence: float | None) -> Completed:
        """Put the content of one file at the path of another, as both scripts do."""
        new, path = command.words[4:6]
        found = self.files.get(new)
        content = found.content if found else self.kept[new.rpartition("/")[2]]
        self.write(path, content or b"", mode=0o644, owner="", group="")
        return Completed()

    def look(self, path: str) -> FileState:
        """Return what is at a path; the store is a folder like others."""
        kept = self.kept.get(path.rpartition("/")[2])
        return super().look(path) if kept is None else fake_file(kept)


@pytest.fixture
def host() -> Host:
    return Host("here", Disk())


def began(host: Host) -> None:
    host.write(PATH, EDITED.encode())
    host.remove(record_path(host, PATH))
    record_base(host, PATH, BASE.encode())


def text(host: Host) -> str:
    return (host.read(PATH) or b"").decode()


def _dies(host: Host, work: Callable[[Host], None], death: tuple[int, str]) -> bool:
    """Work until death comes; return whether it came."""

    def tear() -> None:
        coming = host.read(new_path(host, PATH)) or EDITED.encode()
        host.write(PATH, coming[: len(coming) // 2])

    mortal = Mortal(host.transport, *death, tear)
    try:
        work(replace(acting(host), transport=mortal))
    except Died:
        return True
    return False


def deaths(calls: int) -> Iterator[tuple[int, str]]:
    for number in range(1, calls + 1):
        for how in ("before", "in", "after"):
            yield number, how


def calls_of(host: Host, work: Callable[[Host], None]) -> int:
    """How often some work changes or asks its host."""
    mortal = Mortal(host.transport, 0, "", lambda: None)
    work(replace(acting(host), transport=mortal))
    return mortal.calls


def resumed(host: Host, action: Merge, change: Change) -> None:
    """Go on as the engine does: what undo needs is of the first start."""
    now = acting(host)
    action.plan(now)
    action.apply(now, change)
    action.verify(now, change)


def undone(host: Host, action: Merge, change: Change) -> str:
    now = acting(host)
    back = action.plan_undo(now, change)
    action.undo(now, change)
    assert not action.plan_undo(now, change).needed
    return back.question


@pytest.mark.parametrize("mounted", [False, True])
def test_a_cut_merge_is_finished_or_taken_back_whole(host: Host, mounted: bool) -> None:
    action = build("files.merge", {"path": PATH, "content": REFERENCE, "mounted": mounted})
    assert isinstance(action, Merge)
    began(host)
    change = action.plan(host)
    calls = calls_of(host, lambda now: action.apply(now, change))
    died = 0
    for death in deaths(calls):
        for ending in ENDINGS[death[1]]:
            began(host)
            change = action.plan(host)
            died += _dies(host, lambda now: action.apply(now, change), death)  # noqa: B023 - called at once
            if ending != "undo":
                resumed(host, action, change)
                assert text(host) == MERGED, (death, ending)
                assert host.read(record_path(host, PATH)) == REFERENCE.encode()
            if ending != "resume":
                assert undone(host, action, change) == "", (death, ending)
                assert text(host) == EDITED, (death, ending)
                assert host.read(record_path(host, PATH)) == BASE.encode()
            assert not host.look(new_path(host, PATH)).there
    assert died == calls * 5


@pytest.mark.parametrize("mounted", [False, True])
def test_a_cut_undo_goes_on_undoing(host: Host, mounted: bool) -> None:
    action = build("files.merge", {"path": PATH, "content": REFERENCE, "mounted": mounted})
    assert isinstance(action, Merge)
    began(host)
    change = action.plan(host)
    action.apply(acting(host), change)
    calls = calls_of(host, lambda now: action.undo(now, change))
    died = 0
    for number, how in deaths(calls):
        began(host)
        change = action.plan(host)
        action.apply(acting(host), change)
        if _dies(host, lambda now: action.undo(now, change), (number, how)):  # noqa: B023 - called at once
            died += 1
            assert undone(host, action, change) == "", (number, how)
            assert text(host) == EDITED
            assert host.read(record_path(host, PATH)) == BASE.encode()
    assert died == calls * 3


def test_an_edit_after_the_cut_is_no_half_written_file(host: Host) -> None:
    action = build("files.merge", {"path": PATH, "content": REFERENCE, "mounted": True})
    assert isinstance(action, Merge)
    began(host)
    change = action.plan(host)
    number = next(n for n in range(1, MOST_CALLS) if _torn_at(host, action, change, n))
    host.write(PATH, b"port = 8080\nworkers = 2\nmine = 1\n")

    found = action.merged(host)

    assert number
    assert "mine = 1" in found.content.decode()


def _torn_at(host: Host, action: Merge, change: Change, number: int) -> bool:
    began(host)
    _dies(host, lambda now: action.apply(now, change), (number, "in"))
    return text(host) not in (EDITED, MERGED)
