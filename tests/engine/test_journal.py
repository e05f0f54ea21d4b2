"""A journal keeps its order whatever the clock does, and says what it cannot read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.engine.journal import GENESIS, Journal, chain, decode, encode, verify_chain
from changeover.engine.store import FORMAT, Store
from changeover.errors import ChangeoverError, InvalidInput, Tampered
from changeover.model import events as ev
from changeover.model.codec import from_json, to_json
from changeover.model.plan import Change, Effect
from changeover.model.state import Status, replay

CHANGES = st.builds(
    Change,
    effect=st.sampled_from(Effect),
    summary=st.text(max_size=40),
    before=st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers(), max_size=3),
)
KEYS = st.sampled_from(["1/a@x", "1/b@x", "undo:1/a@x"])
EVENTS = st.one_of(
    st.builds(ev.StepStarted, KEYS, st.integers(1, 5), CHANGES),
    st.builds(ev.StepDone, KEYS, st.floats(0, 1e6)),
    st.builds(ev.StepSkipped, KEYS, st.text(max_size=20), st.text(max_size=5)),
    st.builds(ev.StepFailed, KEYS, st.text(max_size=20), st.text(max_size=20)),
    st.builds(ev.StepInDoubt, KEYS, st.text(max_size=20)),
    st.builds(ev.GateReached, KEYS, st.just("approval"), st.text(max_size=20)),
    st.builds(ev.Paused, st.text(max_size=5)),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path)) as store:
        yield store


@given(EVENTS)
def test_an_event_is_the_same_after_being_written_and_read(event: ev.Event) -> None:
    entry = chain(1, "r", "2026-01-01T00:00:00", event, GENESIS)

    assert decode(json.loads(encode(entry))) == entry


@given(st.lists(EVENTS, max_size=12), st.data())
def test_the_state_of_a_run_is_the_same_wherever_the_fold_was_interrupted(
    events: list[ev.Event], data: st.DataObject
) -> None:
    entries, previous = [], GENESIS
    for seq, event in enumerate(events, 1):
        entries.append(chain(seq, "r", "t", event, previous))
        previous = entries[-1].hash
    cut = data.draw(st.integers(0, len(entries)))

    state = replay(entries[:cut])
    for entry in entries[cut:]:
        state.take(entry)

    assert state == replay(entries)


def test_a_retry_keeps_what_the_first_start_saw(store: Store) -> None:
    journal = Journal(store, "r")
    for attempt, before in ((1, "untouched"), (2, "half changed")):
        change = Change(Effect.UPDATE, "rewrite", before={"was": before})
        journal.append(ev.StepStarted("1/a@x", attempt, change))
        journal.append(ev.StepFailed("1/a@x", "boom"))

    assert journal.state.changes["1/a@x"].before == {"was": "untouched"}
    assert journal.state.attempts["1/a@x"] == 2
    assert journal.state.of("1/a@x") is Status.FAILED


def test_a_clock_that_jumps_back_ten_years_changes_no_order() -> None:
    times = ["2026-01-01", "2016-01-01", "2036-01-01"]
    entries, previous = [], GENESIS
    for seq, at in enumerate(times, 1):
        entries.append(chain(seq, "r", at, ev.StepDone(f"1/{seq}@x"), previous))
        previous = entries[-1].hash

    last = verify_chain(entries)

    assert last is not None
    assert list(replay(entries).status) == ["1/1@x", "1/2@x", "1/3@x"]


def test_what_a_newer_version_wrote_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="does not know: FloorSwept"):
        decode({"event": "FloorSwept", "body": {}, "seq": 1})
    with pytest.raises(InvalidInput, match="not understood: colour") as caught:
        from_json(ev.StepDone, {"key": "a", "colour": "red"})
    assert "newer version" in caught.value.remedy


def test_a_store_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / "journal.db") as db:
        db.execute("update meta set value = ? where name = 'format'", (str(FORMAT + 1),))
    db.close()

    with pytest.raises(InvalidInput, match=f"format {FORMAT + 1}"):
        Store(tmp_path)


def test_a_store_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ChangeoverError, match="cannot keep a journal") as caught:
        Store(tmp_path / "file")

    assert "CHANGEOVER_STATE" in caught.value.remedy


def test_junk_instead_of_a_journal_is_an_error_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"not a database at all" * 100)

    with pytest.raises(ChangeoverError, match="cannot keep a journal"):
        Store(tmp_path)

    assert (tmp_path / "journal.db").read_bytes().startswith(b"not a database")


@given(CHANGES)
def test_defaults_are_left_out_of_json(change: Change) -> None:
    assert "diff" not in to_json(change)
    assert from_json(Change, to_json(change)) == change


class FullDisk:
    """A database on a disk that is full until the reserve is given up."""

    def __init__(self, real: sqlite3.Connection, reserve: Path) -> None:
        self._real, self._reserve = real, reserve

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        if statement.startswith("insert") and self._reserve.exists():
            self._real.execute("pragma max_page_count = 1")
            try:
                self._real.execute("insert into meta values ('big', zeroblob(9000000))")
            finally:
                self._real.execute("pragma max_page_count = 1000000")
        return self._real.execute(statement, values)


def test_a_full_disk_takes_the_entry_at_hand_and_asks_the_run_to_stop(store: Store) -> None:
    store._db = FullDisk(store._db, store.folder / "reserve")  # type: ignore[assignment]
    journal = Journal(store, "r")

    journal.append(ev.StepDone("1/a@x"))
    journal.append(ev.StepDone("1/b@x"))

    assert [entry.seq for entry in store.entries()] == [1, 2]
    assert store.asked("r") is not None


def test_a_line_that_is_no_entry_is_tampering_not_an_accident(store: Store) -> None:
    Journal(store, "r").append(ev.StepDone("1/a@x"))
    with sqlite3.connect(store.folder / "journal.db") as db:
        db.execute("update entry set line = 'junk'")
    db.close()

    with pytest.raises(Tampered, match="no entry: 'junk'"):
        list(store.entries())
