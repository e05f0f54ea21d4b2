"""Saying how a long command failed, in a sentence instead of the script that was run."""

from __future__ import annotations

from changeover.errors import ActionFailed
from changeover.hosts.command import Completed

MOST_LINES = 12


def demand(done: Completed, what: str, remedy: str) -> None:
    """Raise `ActionFailed` with the last line a command said, the lines before as remedy."""
    if done.ok:
        return
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    why = lines[-1] if lines else f"it exited {done.code} and said nothing"
    more = "\n".join(["It said:", *lines[-MOST_LINES:]]) if len(lines) > 1 else ""
    raise ActionFailed(f"{what}: {why}", "\n".join(filter(None, (remedy, more))))
