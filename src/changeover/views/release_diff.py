"""What changed between the references of two releases, as text, Markdown and rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from changeover.views.style import bad, careful, clipped, faint, good, strong

WIDEST = 44
MOST_COMMENTS = 12
"""Lines of comments that are shown of one file; programs get all of them."""


class Change(Protocol):
    """One setting that changed."""

    @property
    def path(self) -> str:
        """Its path in the newer reference, or in the older one if it was removed."""

    @property
    def kind(self) -> str:
        """`added`, `removed`, `changed`, `renamed` or `moved`."""

    @property
    def old(self) -> str | None:
        """Its value before."""

    @property
    def new(self) -> str | None:
        """Its value now."""

    @property
    def old_path(self) -> str:
        """Where it stood before, if elsewhere."""


@dataclass(frozen=True)
class FileChange:
    """One configuration file of a release whose reference changed, came or went."""

    name: str
    method: str
    """The install method whose variant this is; empty for all."""
    kind: str
    """`added`, `removed` or `changed`."""
    at: str = ""
    was_at: str = ""
    """Where the file was, if it has another place now."""
    changes: Sequence[Change] = ()
    comments_added: tuple[str, ...] = ()
    comments_removed: tuple[str, ...] = ()
    note: str = ""

    @property
    def title(self) -> str:
        """Return the name with its method."""
        return f"{self.name} ({self.method})" if self.method else self.name

    def row(self) -> dict[str, Any]:
        """Return it for programs."""
        found = asdict(self)
        found["changes"] = [vars(change) for change in self.changes]
        return found


_SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": ">", "moved": ">"}
_PAINTED = {"added": good, "removed": bad, "changed": careful, "renamed": careful, "moved": careful}


def diff_lines(title: str, files: Iterable[FileChange]) -> Iterator[str]:
    """Yield the changes of each file for a terminal."""
    yield strong(title)
    listed = list(files)
    if not listed:
        yield "  no reference of a configuration file changed"
    for file in listed:
        where = f"  {file.was_at} → {file.at}" if file.was_at else f"  {file.at}"
        word = "" if file.kind == "changed" else f"  {_PAINTED[file.kind](f'file {file.kind}')}"
        yield f"\n{strong(file.title)}{faint(where.rstrip())}{word}"
        yield from (f"  {_painted(change)}" for change in file.changes)
        yield from _comment_lines(file)
        if file.note:
            yield faint(f"  note: {file.note}")


def _painted(change: Change) -> str:
    sign = _PAINTED[change.kind](_SIGNS[change.kind])
    return f"{sign} {_said(change, WIDEST)}"


def _said(change: Change, room: int, mark: str = "") -> str:
    old, new = (clipped(v, room) if v else '""' for v in (change.old, change.new))
    path = f"{mark}{change.path}{mark}"
    if change.kind == "moved":
        return f"{mark}{change.old_path}{mark} looks moved to {path}: {new}"
    if change.kind == "renamed":
        value = "" if change.old == change.new else f": {old} → {new}"
        return f"{mark}{change.old_path}{mark} is {path} now{value}"
    if change.kind == "changed":
        return f"{path}: {old} → {new}"
    return f"{path}: {new if change.kind == 'added' else old}"


def _comment_lines(file: FileChange) -> Iterator[str]:
    lines = [f"  {faint(f'+ {text}')}" for text in file.comments_added]
    lines += [f"  {faint(f'- {text}')}" for text in file.comments_removed]
    if lines:
        yield faint("  comments:")
    yield from lines[:MOST_COMMENTS]
    if len(lines) > MOST_COMMENTS:
        yield faint(f"  ... {len(lines) - MOST_COMMENTS} more lines")


_HEADINGS = {
    "added": "Added",
    "removed": "Removed",
    "changed": "Changed",
    "renamed": "Renamed",
    "moved": "Moved",
}


def diff_markdown(title: str, files: Iterable[FileChange]) -> Iterator[str]:
    """Yield the changes of each file as Markdown, for release notes."""
    yield f"# {title}"
    listed = list(files)
    if not listed:
        yield "\nNo reference of a configuration file changed."
    for file in listed:
        yield f"\n## {file.title}"
        if file.at:
            yield f"\n`{file.was_at}` is `{file.at}` now." if file.was_at else f"\n`{file.at}`"
        if file.kind != "changed":
            yield f"\nThe file was {file.kind}."
        yield from _changes_in_markdown(file.changes)
        yield from _comments_in_markdown(file)
        if file.note:
            yield f"\n> {file.note}"


def _changes_in_markdown(changes: Sequence[Change]) -> Iterator[str]:
    for kind, heading in _HEADINGS.items():
        told = [change for change in changes if change.kind == kind]
        if told:
            yield f"\n### {heading}\n"
            yield from (f"- {_said(change, 200, '`')}" for change in told)


def _comments_in_markdown(file: FileChange) -> Iterator[str]:
    remarks = [f"+ {text}" for text in file.comments_added]
    remarks += [f"- {text}" for text in file.comments_removed]
    if remarks:
        yield "\n### Comments\n\n```diff"
        yield from remarks
        yield "```"
