"""Configuration files of hosts beside the references of a release."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from changeover.views.settings import Shown, counted, setting_lines
from changeover.views.style import bad, careful, faint, good, strong


@dataclass(frozen=True)
class FileState:
    """A file on a host: how it differs, and what is to be decided."""

    host: str
    path: str
    name: str
    """What the release calls it."""
    reference: str
    base: str = ""
    sure: bool = True
    settings: tuple[Shown, ...] = ()
    conflicts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    missing: bool = False
    """Whether there is no file yet."""
    problem: str = ""
    awaits: str = ""
    """What a host would have to say for a run to merge it; empty where that holds now."""

    def row(self) -> dict[str, Any]:
        """Return it for programs."""
        found = asdict(self)
        found["settings"] = [vars(setting) for setting in self.settings]
        return found


def status_lines(files: Iterable[FileState]) -> Iterator[str]:
    """Yield one line a file, and below what is to be decided."""
    listed = list(files)
    if not listed:
        yield "the release merges no configuration files on these hosts"
    for file in listed:
        yield f"{_title(file)}  {_summary(file)}"
        if file.awaits:
            yield faint(f"  only where a run finds {file.awaits}, which is not so now")
        if file.problem or file.missing:
            continue
        base = file.base or "none; a comparison of two sides"
        yield faint(f"  with {file.reference}; base: {base}")
        if file.conflicts:
            yield bad(f"  to decide: {', '.join(file.conflicts)}")


def diff_lines(files: Iterable[FileState]) -> Iterator[str]:
    """Yield the settings of each file that differ: base → here → new reference."""
    for file in files:
        yield from status_lines([file])
        yield from setting_lines(file.settings)
        yield from (f"  note: {note}" for note in file.notes)


def _title(file: FileState) -> str:
    name = f" ({file.name})" if file.name and file.name != file.path else ""
    return strong(f"{file.host}:{file.path}") + name


def _summary(file: FileState) -> str:
    if file.problem:
        return bad(file.problem)
    if file.missing:
        return careful("is not there yet: the reference arrives as it is")
    words = counted(file.settings)
    if file.conflicts:
        return bad(words)
    return careful(words) if not file.sure else good(words)
