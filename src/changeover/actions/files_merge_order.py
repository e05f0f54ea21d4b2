"""What has to be so before a file may change its shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from changeover.actions.files_merge_outcome import Outcome
from changeover.actions.paths import demand_absolute
from changeover.errors import InvalidRelease
from changeover.model.findings import Finding, failed


def demand_shape(action: str, path: str, ours: str, was: Sequence[str], override: str) -> None:
    """Raise `InvalidRelease` for a shape that cannot be."""
    demand_absolute(action, override=override or "/")
    if ours and (was or override):
        word = "was" if was else "override"
        raise InvalidRelease(f"{action}: `ours` and `{word}` exclude each other", "Keep one.")
    if override == path:
        raise InvalidRelease(
            f"{action}: override: {path} cannot lie over itself",
            "Name another file for the local differences.",
        )


def out_of_order(found: Outcome) -> Iterator[Finding]:
    """Report files that must be made before the one they are made from is written."""
    if found.awaits:
        names = ", ".join(found.awaits)
        path = found.task.path
        yield failed(
            f"{path}: {names} is made from it and has to be made before",
            f"Put the step of {names} before the one of {path}, or merge it first.",
        )
