"""Files that change shape, with a death at every call to their host: finished, or taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from changeover.actions.builtin import build
from changeover.actions.files_merge import Merge
from changeover.actions.files_merge_answers import Lore, Shared
from changeover.actions.files_merge_sides import coming_path, new_path
from changeover.bases.record import record_base
from changeover.hosts.host import Host
from changeover.model.plan import Change
from tests.actions.live import acting
from tests.crash.test_cut_merges import Died, Disk, Mortal, deaths

OLD, WEB, DB = "/srv/compose.yml", "/srv/web.yml", "/srv/db.yml"
OVER = "/srv/compose.override.yml"
BASE = "services:\n  web:\n    image: web:1\n  db:\n    image: db:1\n"
EDITED = BASE.replace("web:1", "web:1\n    mem_limit: 1g").replace("db:1", "lan/db:1")
PARTS = {
    WEB: "services:\n  web:\n    image: web:2\n",
    DB: "services:\n  db:\n    image: db:1\n    restart: always\n",
}
WANTED = {
    "move": {WEB: EDITED.replace("web:1", "web:2")},
    "split": {
        WEB: "services:\n  web:\n    image: web:2\n    mem_limit: 1g\n",
        DB: "services:\n  db:\n    image: lan/db:1\n    restart: always\n",
    },
    "override": {
        OLD: BASE.replace("web:1", "web:2"),
        OVER: "services:\n  web:\n    mem_limit: 1g\n  db:\n    image: lan/db:1\n",
    },
}
Disks = dict[str, bytes]


def steps(shape: str) -> list[Merge]:
    """The merges of one release, in their order."""
    reference = BASE.replace("web:1", "web:2")
    if shape == "move":
        return [_merge(path=WEB, content=reference, was=[OLD])]
    if shape == "override":
        return [_merge(path=OLD, content=reference, override=OVER)]
    shared = tuple(Shared(path, path, text.encode(), (OLD,)) for path, text in PARTS.items())
    made = [_merge(path=path, content=text, was=[OLD]) for path, text in PARTS.items()]
    return [replace(one, lore=Lore(shared=lambda: shared)) for one in made]


def _merge(**params: Any) -> Merge:
    action = build("files.merge", params)
    assert isinstance(action, Merge)
    return action


def began() -> Host:
    host = Host("here", Disk())
    host.make_folder("/srv")
    host.write(OLD, EDITED.encode(), mode=0o640)
    record_base(host, OLD, BASE.encode())
    return host


def texts(host: Host) -> Disks:
    """Every file of the platform."""
    transport = host.transport
    assert isinstance(transport, Disk)
    return {path: state.content or b"" for path, state in transport.files.items()
            if path.startswith("/srv/") and state.kind == "file"}  # fmt: skip


def records(host: Host) -> Disks:
    """What is kept beside the records of references."""
    transport = host.transport
    assert isinstance(transport, Disk)
    return {path: state.content or b"" for path, state in transport.files.items()
            if "/bases/" in path and state.kind == "file"}  # fmt: skip


def dies(host: Host, work: Callable[[Host], None], death: tuple[int, str]) -> bool:
    try:
        work(replace(acting(host), transport=Mortal(host.transport, *death, lambda: None)))
    except Died:
        return True
    return False


def finish(host: Host, action: Merge, change: Change) -> None:
    action.apply(acting(host), change)
    action.verify(acting(host), change)


def take_back(host: Host, done: list[tuple[Merge, Change]]) -> None:
    for action, change in reversed(done):
        assert action.plan_undo(acting(host), change).question == ""
        action.undo(acting(host), change)
        assert not action.plan_undo(acting(host), change).needed


@pytest.mark.parametrize(
    ("shape", "at"), [("move", 0), ("split", 0), ("split", 1), ("override", 0)]
)
@pytest.mark.parametrize("ending", ["resume", "undo", "both"])
def test_a_cut_change_of_shape_is_finished_or_taken_back_whole(
    shape: str, at: int, ending: str
) -> None:
    before, kept = texts(began()), records(began())
    wanted = {path: text.encode() for path, text in WANTED[shape].items()}
    met = 0
    for death in deaths(30):
        host, done, died = _cut(shape, at, death, goes_on=ending != "undo")
        met += died
        if ending != "undo":
            assert texts(host) == wanted, death
            assert not _announced(host), death
        if ending != "resume":
            take_back(host, done)
            assert (texts(host), records(host)) == (before, kept), death
    assert met > 20


def _cut(
    shape: str, at: int, death: tuple[int, str], *, goes_on: bool
) -> tuple[Host, list[tuple[Merge, Change]], bool]:
    """Carry out a release one of whose steps dies; go on with it, or leave it there."""
    host, died = began(), False
    done: list[tuple[Merge, Change]] = []
    for number, action in enumerate(steps(shape)):
        change = action.plan(host)
        done.append((action, change))
        if number == at:
            died = dies(host, partial(action.apply, change=change), death)
            if died and not goes_on:
                break
        finish(host, action, change)
    return host, done, died


def _announced(host: Host) -> bool:
    return any(host.look(kept(host, path)).there for path in (OLD, WEB, DB, OVER)
               for kept in (new_path, coming_path))  # fmt: skip


def test_an_older_file_goes_with_the_last_that_is_made_from_it() -> None:
    host = began()
    first, second = steps("split")

    finish(host, first, first.plan(host))
    halfway = texts(host)
    finish(host, second, second.plan(host))

    assert halfway[OLD] == EDITED.encode()
    assert OLD not in texts(host)
