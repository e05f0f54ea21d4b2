"""Images as lines: what became of them, sizes and rates."""

from __future__ import annotations

from collections.abc import Iterator

from changeover.sources.oci.order import ImageResult, Status, Summary

_UNITS = ("KiB", "MiB", "GiB", "TiB")


def size(count: float) -> str:
    """Return a number of bytes for people."""
    if count < 1024:
        return f"{count:.0f} B"
    for unit in _UNITS:
        count /= 1024
        if count < 1024 or unit == _UNITS[-1]:
            break
    return f"{count:.1f} {unit}" if count < 100 else f"{count:.0f} {unit}"


def short(digest: str) -> str:
    """Return a digest as people recognize it."""
    return digest[:19]


def result_lines(result: ImageResult) -> Iterator[str]:
    """Yield what became of one image, and what to do about it."""
    if result.status is Status.FAILED:
        yield f"failed     {result.source}: {result.error}"
        if result.remedy:
            yield f"             → {result.remedy}"
        return
    yield f"{result.status.value:<10} {result.source} → {result.target}  {_effect(result)}".rstrip()
    if result.overwrote:
        verb = "would replace" if result.status is Status.PLANNED else "replaced"
        yield f"             the tag {verb} {result.overwrote}"
    if result.note:
        yield f"             {result.note}"


def _effect(result: ImageResult) -> str:
    parts = []
    if result.sent:
        verb = "to send" if result.status is Status.PLANNED else "sent"
        parts.append(f"{size(result.bytes)} {verb}")
    if result.mounted:
        parts.append(f"{result.mounted} mounted")
    if result.repaired:
        parts.append(f"{result.repaired} repaired")
    if result.attached:
        parts.append(f"{result.attached} attached")
    return ", ".join(parts)


def summary_line(summary: Summary) -> str:
    """Return the last line of a copy."""
    words = []
    for status in Status:
        count = sum(i.status is status for i in summary.images)
        if count:
            words.append(f"{count} {status.value}")
    planned = any(i.status is Status.PLANNED for i in summary.images)
    total = size(summary.bytes)
    moved = f"{total} would move" if planned else f"{total} in {summary.seconds:.1f} s"
    if summary.bytes and not planned and summary.seconds > 0:
        moved += f" ({size(summary.bytes / summary.seconds)}/s)"
    count = len(summary.images)
    return f"{count} image{'s' * (count != 1)}: {', '.join(words) or 'none'}; {moved}"
