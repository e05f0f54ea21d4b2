"""The few colours there are. Off a terminal they are stripped where lines are printed."""

from __future__ import annotations

import textwrap

import click

WIDTH = 88
_COMMIT = 40


def good(text: str) -> str:
    """Colour what is as it must be."""
    return click.style(text, fg="green")


def bad(text: str) -> str:
    """Colour what stops the run."""
    return click.style(text, fg="red", bold=True)


def careful(text: str) -> str:
    """Colour what deserves a look."""
    return click.style(text, fg="yellow")


def strong(text: str) -> str:
    """Make a heading stand out."""
    return click.style(text, bold=True)


def faint(text: str) -> str:
    """Take a detail back."""
    return click.style(text, dim=True)


def rule(text: str = "") -> str:
    """Draw a line across, with words in it."""
    return f"── {text} " + "─" * max(3, WIDTH - len(text) - 4) if text else "─" * WIDTH


def wrapped(text: str, indent: int) -> list[str]:
    """Break text where it is too wide beside a margin; words and paths stay whole."""
    room = max(WIDTH - indent, 24)
    lines = (
        textwrap.wrap(line, room, break_long_words=False, break_on_hyphens=False) or [""]
        for line in text.splitlines()
    )
    return [piece for pieces in lines for piece in pieces] or [""]


def clipped(text: str, room: int) -> str:
    """Cut what is too wide, visibly; only the first of several lines is kept."""
    line, more, _ = text.partition("\n")
    return line if len(line) <= room and not more else line[: max(room - 1, 1)].rstrip() + "…"


def version(text: str, nothing: str = "-") -> str:
    """Spell a version; of a commit, what people write of one."""
    whole = len(text) == _COMMIT and all(c in "0123456789abcdef" for c in text)
    return text[:12] if whole else text or nothing


def seconds(value: float) -> str:
    """Spell a duration: `0.4 s`, `75 s`, `12 min`."""
    if value < 10:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min"


def diff_lines(diff: str) -> list[str]:
    """Colour a unified diff; the name of the file stands there once."""
    lines = diff.splitlines()
    named = lines[0][4:] if diff.startswith("--- ") and len(lines) > 1 else ""
    if named in ("/dev/null", *(line[4:] for line in lines[1:2])):
        del lines[0]
    return [_diff_line(line) for line in lines if not line.startswith("@@ -0,0 ")]


def _diff_line(line: str) -> str:
    if line.startswith(("+++", "---")):
        return strong(line)
    if line.startswith("+"):
        return good(line)
    if line.startswith("-"):
        return click.style(line, fg="red")
    return faint(line)
