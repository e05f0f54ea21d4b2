"""What a terminal is given: text and the colours of ours, nothing else that it would obey.

Hosts, releases and registries are quoted in what is shown; what they say must not move the cursor,
rename the window or run backwards.
"""

from __future__ import annotations

import io
import re
import sys

_OBEYED = re.compile(
    r"(?P<ours>\x1b\[(?:0|1|2|3[1-7])m)"
    r"|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
"""Control characters but for ends of lines and tabs, and those that turn text around."""


class Screen(io.TextIOWrapper):
    """A terminal to which control characters are spelled out."""

    def write(self, text: str) -> int:
        """Write what no terminal obeys."""
        super().write(harmless(text))
        return len(text)


def harmless(text: str) -> str:
    """Spell out what a terminal would obey, but for the few colours there are."""
    return _OBEYED.sub(lambda found: found["ours"] or _spelled(found[0]), text)


def guard_terminals() -> None:
    """Stand between this program and the terminals it writes to; files and pipes get all bytes."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and stream.isatty():
            stream.flush()
            setattr(sys, name, _guarded(stream))


def _guarded(stream: io.TextIOWrapper) -> Screen:
    return Screen(stream.buffer, stream.encoding, stream.errors, line_buffering=True)


def _spelled(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
