"""Making a branch that gathers others anew from the one it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.git_clone import Clone, demand_branch
from changeover.actions.git_moved import plan_return, returned
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.plan import Change, Effect
from changeover.tools import git_gathered as asked
from changeover.tools.git_gathered import Addition


@dataclass(frozen=True)
class Reset(Action):
    """Make a branch that gathers others anew from the one it came from, as it is on the remote.

    The plan lists what is thrown away: each addition, who made it, and whether its base has it by
    now. Works in a clone on the operator's machine (`on: operator`) and touches no working tree.
    The commits stay in the clone under `refs/changeover/kept`; an undo moves the branch back, here
    and on the remote.
    """

    name: ClassVar[str] = "git.reset"

    branch: str
    """The branch to make anew."""
    base: str
    """The branch it is made from."""
    clone: str = ""
    """A folder of the clone; empty for the current one."""
    remote: str = "origin"
    """The remote it is shared through."""
    push: bool = False
    """Push the outcome, over what is there: if it is still what the plan listed."""

    def __post_init__(self) -> None:
        demand_branch(self.name, branch=self.branch, base=self.base, remote=self.remote)

    def plan(self, host: Host) -> Change:
        """List what would be thrown away."""
        clone = Clone(host, self.clone, self.remote)
        clone.refuse_checked_out(self.branch)
        heads = clone.pushed(self.branch, self.base)
        base, seen, local = heads[self.base], heads[self.branch], clone.local(self.branch)
        if not base:
            raise ActionFailed(f"{self.remote}: has no {self.base}", f"Push {self.base} first.")
        facts = {f"branch {b} in {clone.top} and {self.remote}": c or "absent"
                 for b, c in heads.items()}  # fmt: skip
        typed = asked.typed_push(self.remote, self.branch, seen)
        if local == base and (seen == base or not self.push):
            note = "" if seen == base else f"; not pushed yet: {typed}"
            said = f"{self.branch} is {self.base} at {base[:12]} already{note}"
            return Change(Effect.NONE, said, facts=facts)
        lost = _lost(clone, base, [tip for tip in (seen, local) if tip])
        lines = [f"- {a}{' (its base has it)' * there}" for a, there in lost]
        before = {"clone": clone.top, "start": base, "commit": base, "local": local, "seen": seen}
        you = clone.git("config", "user.name").stdout.strip() or "you"
        return Change(
            Effect.UPDATE,
            f"make {self.branch} anew from {self.base} at {base[:12]}, throwing away "
            f"{len(lost)} addition{'' if len(lost) == 1 else 's'}"
            + (" and push it" if self.push else f"; to be pushed by {you}: {typed}"),
            diff="\n".join(lines),
            commands=(f"git branch -f {self.branch} {base[:12]}", *([typed] * self.push)),
            before=before,
            facts=facts,
            alters=(f"branch {self.branch} *",),
        )

    def apply(self, host: Host, change: Change) -> None:
        """Move the branch and push it."""
        before = change.before
        clone = Clone(host, before["clone"], self.remote)
        clone.keep(before["seen"])
        clone.point(self.branch, before["commit"], before["local"])
        if self.push and before["seen"] != before["commit"]:
            clone.push(before["commit"], self.branch, before["seen"])

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Say where the branch goes back to."""
        place = change.before.get("clone", self.clone)
        return plan_return(Clone(host, place, self.remote), self.branch, change.before)

    def undo(self, host: Host, change: Change) -> None:
        """Move the branch back, here and on the remote."""
        place = change.before.get("clone", self.clone)
        returned(Clone(host, place, self.remote), self.branch, change.before)


def _lost(clone: Clone, base: str, tips: list[str]) -> list[tuple[Addition, bool]]:
    """Return each addition of the tips, and whether the base has what it brought."""
    found = {a.commit: a for tip in tips for a in clone.additions(base, tip)}
    return [(a, _is_in(clone, base, a)) for a in found.values()]


def _is_in(clone: Clone, base: str, addition: Addition) -> bool:
    if clone.is_ancestor(addition.added, base):
        return True
    told = clone.git("cherry", base, addition.added)
    return told.ok and not [line for line in told.stdout.splitlines() if line.startswith("+")]
