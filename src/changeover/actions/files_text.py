"""Parts of text files: one line, or one marked block."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from changeover.actions.diffs import is_binary
from changeover.actions.foreseen import is_open
from changeover.actions.paths import Placing, demand_absolute, not_yet
from changeover.actions.wanted import Wanted
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import Host
from changeover.model.findings import Finding
from changeover.model.plan import Change, Effect

State = Literal["present", "absent"]


class Editing(Placing):
    """An action that edits the text of one file, and leaves all else in it alone."""

    path: str
    create: bool

    @abstractmethod
    def edited(self, lines: list[str]) -> list[str]:
        """Return the lines as they must be."""

    def wanted(self, host: Host) -> tuple[Wanted, ...]:
        """The file with the edit made."""
        now = host.look(self.path)
        if now.kind not in ("file", "absent"):
            return (Wanted(self.path),)  # refused with the reason when it is compared
        if not now.there and not self.create:
            raise ActionFailed(
                f"{host.name}: {self.path}: no such file", "Say `create: true` to start it."
            )
        old = b"" if not now.there else now.content
        if old is None or is_binary(old):
            raise ActionFailed(f"{host.name}: {self.path}: not a text of at most 1 MiB")
        new = self._text(old.decode())
        # A line that must be absent from a file that is absent needs no file.
        return (
            Wanted(self.path, content=new.encode())
            if now.there or new
            else Wanted(self.path, "absent"),
        )

    def check(self, host: Host) -> Iterable[Finding]:
        """The file must be there, and its folder writable."""
        return super().check(host) if self._known(host) else ()

    def plan(self, host: Host) -> Change:
        """Make the edit in mind, and compare."""
        later = Change(
            Effect.UPDATE, f"edit {self.path}", unforeseen=f"{self.path} is not there yet"
        )
        return super().plan(host) if self._known(host) else not_yet(host, self.path, later)

    def foresee(self, shadow: Host, change: Change) -> None:
        """Lay the edited file over the shadow, where the file is known."""
        if self._known(shadow):
            super().foresee(shadow, change)

    def _known(self, host: Host) -> bool:
        return self.create or host.look(self.path).there or not is_open(host)

    def _text(self, old: str) -> str:
        end = "\r\n" if "\r\n" in old else "\n"
        lines = old.split(end)
        closed = lines[-1] == ""
        before = lines[:-1] if closed else lines
        after = self.edited(before)
        if after == before:
            return old
        return "".join(f"{line}{end}" for line in after)


@dataclass(frozen=True)
class Line(Editing):
    """Have one line in a text file, or have it not."""

    name: ClassVar[str] = "files.line"

    path: str
    """Where the file is."""
    line: str = ""
    """The line, whole. It replaces the last one that `match` or `key` finds."""
    match: str = ""
    """A regular expression that finds the line to replace (or, with `state: absent`, all lines to
    remove)."""
    key: str = ""
    """Instead of `match`: the word before `=`, `:` or a blank, as in `key: Port`. A line where it
    is commented out by `#` or `;` is replaced if there is no other."""
    state: State = "present"
    """`present` or `absent`."""
    after: str = ""
    """A regular expression: a new line goes below the last line it finds, else to the end."""
    create: bool = False
    """Whether to start the file where it is missing."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, path=self.path)
        _demand_pattern(self.name, match=self.match, after=self.after)
        if "\n" in self.line:
            raise InvalidRelease(f"{self.name}: line: more than one line", "Use files.block.")
        if self.match and self.key:
            raise InvalidRelease(f"{self.name}: both match and key", "Leave one of them out.")
        if self.state == "present" and not self.line:
            raise InvalidRelease(f"{self.name}: line is missing", "Write the line to have.")
        if not (self.line or self.match or self.key):
            raise InvalidRelease(f"{self.name}: nothing to find", "Write line, match or key.")

    def edited(self, lines: list[str]) -> list[str]:
        """Replace, add or remove the line."""
        if self.state == "absent":
            return [line for line in lines if not self._is_it(line)]
        if self.line in lines and not self._others(lines):
            return lines
        places = self._others(lines) or [i for i, line in enumerate(lines) if line == self.line]
        places = places or self._commented(lines)
        if places:
            return [*lines[: places[-1]], self.line, *lines[places[-1] + 1 :]]
        at = self._place(lines)
        return [*lines[:at], self.line, *lines[at:]]

    def _is_it(self, line: str) -> bool:
        pattern = self.match or (self.key and _keyed(self.key))
        return bool(re.search(pattern, line)) if pattern else line == self.line

    def _others(self, lines: list[str]) -> list[int]:
        return [i for i, line in enumerate(lines) if line != self.line and self._is_it(line)]

    def _commented(self, lines: list[str]) -> list[int]:
        pattern = r"^\s*[#;]\s?" + re.escape(self.key) + r"\s*(=|:|\s)"
        return [i for i, line in enumerate(lines) if self.key and re.search(pattern, line)]

    def _place(self, lines: list[str]) -> int:
        found = [
            i + 1 for i, line in enumerate(lines) if self.after and re.search(self.after, line)
        ]
        return found[-1] if found else len(lines)


@dataclass(frozen=True)
class Block(Editing):
    """Have a block of lines in a text file, between two marking lines, or have it not."""

    name: ClassVar[str] = "files.block"

    path: str
    """Where the file is."""
    content: str = ""
    """The lines of the block."""
    label: str = "changeover"
    """Tells this block from others in the same file; it stands in the marking lines."""
    comment: str = "#"
    """What starts a comment in this file, such as `#`, `;`, `//` or `--`."""
    state: State = "present"
    """`present` or `absent`."""
    after: str = ""
    """A regular expression: a new block goes below the last line it finds, else to the end."""
    create: bool = False
    """Whether to start the file where it is missing."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, path=self.path)
        _demand_pattern(self.name, after=self.after)
        if "\n" in self.label or not self.label.strip():
            raise InvalidRelease(f"{self.name}: label must be one line", "Write a short name.")

    def edited(self, lines: list[str]) -> list[str]:
        """Replace, add or remove the block with its marks."""
        first, last = f"{self.comment} begin {self.label}", f"{self.comment} end {self.label}"
        block = [first, *self.content.rstrip("\n").split("\n"), last] * (self.state == "present")
        if first in lines:
            start = lines.index(first)
            if last not in lines[start:]:
                raise ActionFailed(
                    f"{self.path}:{start + 1}: the block {self.label} has no end",
                    f"Put the line {last!r} where it ends.",
                )
            return [*lines[:start], *block, *lines[lines.index(last, start) + 1 :]]
        found = [
            i + 1 for i, line in enumerate(lines) if self.after and re.search(self.after, line)
        ]
        at = found[-1] if found else len(lines)
        return [*lines[:at], *block, *lines[at:]]


def _keyed(key: str) -> str:
    return r"^\s*" + re.escape(key) + r"\s*(=|:|\s|$)"


def _demand_pattern(action: str, **patterns: str) -> None:
    for name, pattern in patterns.items():
        try:
            re.compile(pattern)
        except re.error as error:
            raise InvalidRelease(
                f"{action}: {name}: no regular expression: {error}",
                "Escape signs with a meaning of their own, such as ( [ * by a backslash.",
            ) from None
