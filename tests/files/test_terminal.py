"""Conflicts settled on a real terminal: one key each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.files.shop import EDITED, Shop
from tests.files.terminal import at_terminal

KEYS = "o ours, t theirs, e edit, s skip, u undo, c context, q stop: "
GUESS = "y merge with the guess, n without a base, s skip, u undo, q stop: "


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.prepare()
    return made


def test_a_conflict_is_answered_with_its_context_and_the_vendors_note_in_sight(shop: Shop) -> None:
    seen = at_terminal(shop.folder, ["files", "resolve"], [(KEYS, "c"), (KEYS, "o")])

    assert seen.code == 0
    assert "note    One for each core; more only costs memory." in seen.text
    assert ">    6 workers = 8" in seen.text
    assert ">    6 workers = 4" in seen.text
    assert "nothing is left to decide" in seen.text
    assert shop.settings.read_text() == EDITED


def test_what_is_skipped_is_left_and_asked_again_another_time(shop: Shop) -> None:
    first = at_terminal(shop.folder, ["files", "resolve"], [(KEYS, "s")])
    second = at_terminal(shop.folder, ["files", "resolve"], [(KEYS, "e"), ("value", "12\r")])

    assert (first.code, second.code) == (1, 0)
    assert "--answer 'settings:server.workers=ours'" in first.text


def test_a_guessed_base_is_asked_about(shop: Shop) -> None:
    (shop.settings.parent / "VERSION").write_text("0.9.0\n")

    words = ["files", "resolve", "--to", "1.0.0"]
    seen = at_terminal(shop.folder, words, [(GUESS, "y"), (KEYS, "q")])

    assert "the base is a guess" in seen.text
    assert "of its settings differ" in seen.text
    assert seen.code in (0, 1)
    again = at_terminal(shop.folder, words, [(KEYS, "q")])
    assert "the base is a guess" not in again.text


def test_a_merge_is_shown_and_written_after_a_yes(shop: Shop) -> None:
    words = ["files", "merge", "--to", "1.1.0", "--answer", "server.workers=ours"]

    left = at_terminal(shop.folder, words, [("n leave it: ", "n")])
    done = at_terminal(shop.folder, words, [("n leave it: ", "y")])

    assert (left.code, done.code) == (1, 0)
    assert '-hostname = "db7"' in done.text
    assert 'host = "db7"' in shop.settings.read_text()
