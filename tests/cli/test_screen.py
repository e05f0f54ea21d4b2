"""What hosts and releases say moves no cursor, renames no window, and hides nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from changeover.cli.screen import harmless
from tests.files.terminal import at_terminal

RELEASE = r"""
format: 1
product: shop
version: "1.0"
title: "Shop \e]0;mine\a\e[2J\u009b1A\u202Eback"
"""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    (tmp_path / "release.yaml").write_text(RELEASE)
    return tmp_path


def test_a_terminal_is_shown_what_it_would_obey(release: Path) -> None:
    seen = at_terminal(release, ["release", "show", "."], [])

    assert seen.code == 0, seen.text
    assert r"Shop \x1b]0;mine\x07\x1b[2J\x9b1A\u202eback" in seen.text
    assert not {"\a", "\x9b", "\u202e"} & set(seen.text)


def test_a_terminal_still_gets_our_colours(release: Path) -> None:
    seen = at_terminal(release, ["release", "show", "."], [])

    assert seen.text.startswith(click.style("", bold=True, reset=False))


def test_complaints_are_spelled_out_as_well(release: Path) -> None:
    (release / "release.yaml").write_text(RELEASE + 'from: "\\e[2J"\n')

    seen = at_terminal(release, ["release", "show", "."], [])

    assert seen.code != 0
    assert r"\x1b[2J" in seen.text
    assert "\x1b[2J" not in seen.text


def test_what_is_no_terminal_gets_every_byte(release: Path) -> None:
    words = [sys.executable, "-m", "changeover.cli.main", "release", "show", "."]

    done = subprocess.run(words, cwd=release, capture_output=True, text=True, check=True)

    assert "\x1b]0;mine\a" in done.stdout


@pytest.mark.parametrize(
    "text",
    ["é → ── ✓ 日本語 שלום\tend\n", "a\r\nb\r\n", click.style("red", fg="red", bold=True)],
)
def test_text_and_ends_of_lines_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ok\rFAILED", r"ok\x0dFAILED"),
        ("\x1b[8mhidden\x1b[0m", "\\x1b[8mhidden\x1b[0m"),
        ("a\x08b", r"a\x08b"),
        ("\x1b[31;8m", r"\x1b[31;8m"),
        ("\x1b[30m", r"\x1b[30m"),
    ],
)
def test_what_hides_or_overwrites_is_spelled_out(text: str, shown: str) -> None:
    assert harmless(text) == shown
