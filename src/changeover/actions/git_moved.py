"""Taking back a branch that was moved, here and on its remote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from changeover.actions.git_clone import Clone
from changeover.model.plan import Change, Effect


def plan_return(clone: Clone, branch: str, before: Mapping[str, Any]) -> Change:
    """Say what going back would do now; what others pushed on top is theirs and stays."""
    if not before:
        return Change(Effect.NONE, f"{branch} was not moved")
    local, seen = clone.local(branch), clone.pushed(branch)[branch]
    moves = []
    if local != before["local"] and is_ours(clone, local, before):
        moves.append(f"{branch} here to {before['local'][:12] or 'nowhere'}")
    if seen != before["seen"] and is_ours(clone, seen, before):
        moves.append(f"{branch} on {clone.remote} to {before['seen'][:12] or 'nowhere'}")
    if not moves:
        back = (local, seen) == (before["local"], before["seen"])
        why = "is where it was" if back else "was moved on by others: it stays"
        return Change(Effect.NONE, f"{branch} {why}")
    return Change(Effect.UPDATE, f"move back {' and '.join(moves)}")


def returned(clone: Clone, branch: str, before: Mapping[str, Any]) -> None:
    """Move a branch back, on the remote first: it is what others see."""
    if not before:
        return
    seen = clone.pushed(branch)[branch]
    if seen != before["seen"] and is_ours(clone, seen, before):
        clone.push(before["seen"], branch, seen)
    local = clone.local(branch)
    if local != before["local"] and is_ours(clone, local, before):
        clone.point(branch, before["local"], local)


def is_ours(clone: Clone, tip: str, before: Mapping[str, Any]) -> bool:
    """Say whether a commit is what a branch was moved to: told by its parents, not by a note."""
    if not tip or before["start"] == before["commit"]:
        return bool(tip) and tip == before["commit"]
    parents = clone.git("rev-parse", f"{tip}^@").stdout.split()
    return parents == [before["start"], before["commit"]]
