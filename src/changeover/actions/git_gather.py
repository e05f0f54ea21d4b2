"""Adding a branch to another one that gathers branches, such as `staging`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from changeover.actions.base import Action
from changeover.actions.git_clone import Clone, demand_branch
from changeover.actions.git_moved import plan_return, returned
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.findings import Finding, warned
from changeover.model.plan import Change, Effect
from changeover.tools import git_gathered as asked
from changeover.tools.git_gathered import Addition


@dataclass(frozen=True)
class Gather(Action):
    """Add a branch to another one that gathers branches for a trial, such as `staging`.

    Works in a clone on the operator's machine (`on: operator`), in a worktree of its own: what is
    checked out is never touched. It begins at the remote's branch (or at the local one, where that
    is ahead), merges, records branch and commit in trailers, and moves the local branch; `push`
    pushes it, if nobody else has in the meantime. Commits that were rewritten after they were added
    (a rebase, an amend) are named and refused: they would be there twice. A branch that diverged
    otherwise is added. An undo moves the branch back, here and on the remote.
    """

    name: ClassVar[str] = "git.gather"

    into: str
    """The branch that gathers."""
    base: str
    """The branch it was made from."""
    branch: str = ""
    """The branch to add; empty for the one that is checked out."""
    clone: str = ""
    """A folder of the clone; empty for the current one."""
    remote: str = "origin"
    """The remote it is shared through."""
    push: bool = False
    """Push the outcome."""
    rewritten: bool = False
    """Add commits that were rewritten even so."""

    def __post_init__(self) -> None:
        names = {"into": self.into, "base": self.base, "branch": self.branch, "remote": self.remote}
        demand_branch(self.name, **names)

    def check(self, host: Host) -> Iterable[Finding]:
        """Name what is not committed: it will not be there."""
        clone = self._clone(host)
        edited = clone.git("status", "--porcelain", "--untracked-files=no").stdout.splitlines()
        if edited and not self.branch:
            files = ", ".join(line[3:] for line in edited[:5])
            yield warned(f"{clone.top}: not committed, so not added: {files}", "Commit first.")

    def plan(self, host: Host) -> Change:
        """Find where to begin, what is new, and whether it was rewritten or collides."""
        clone = self._clone(host)
        branch, commit = self._added(clone)
        clone.refuse_checked_out(self.into)
        heads = clone.pushed(self.into, self.base)
        local, seen = clone.local(self.into), heads[self.into]
        start = self._start(clone, local, heads)
        if clone.is_ancestor(commit, start) and local == start:
            return self._planned_push(clone, start, seen, branch)
        additions = clone.additions(heads[self.base] or start, start)
        if not self.rewritten:
            _refuse_rewritten(clone, branch, commit, heads[self.base] or start, additions)
        _refuse_conflicts(clone, start, commit, additions)
        new = clone.commits(commit, start)
        before = {"clone": clone.top, "start": start, "commit": commit, "branch": branch,
                  "local": local, "seen": seen}  # fmt: skip
        left = self._left_out(clone, local, start)
        lines = [f"+ {c[:10]} {subject} ({author})" for c, author, subject in new]
        lines += [f"- {addition}" for addition in left]
        return Change(
            Effect.UPDATE,
            f"add {branch} ({_counted(len(new), 'commit')}) to {self.into}{self._who(clone, seen)}"
            + (f"; {_counted(len(left), 'addition')} of yours never pushed left out" * bool(left)),
            diff="\n".join(lines),
            commands=(f"git merge --no-ff {commit[:12]}", *self._pushes(seen)),
            before=before,
            facts=_facts(clone, self.remote, {self.into: seen, branch: commit}),
            alters=(f"branch {self.into} *",),
        )

    def apply(self, host: Host, change: Change) -> None:
        """Merge in a worktree of its own, move the branch, push it."""
        clone, before = self._clone(host, change), change.before
        tip = clone.local(self.into) or before["start"]
        # A local branch that went another way may have the commit, and lack what others pushed.
        if not all(clone.is_ancestor(before[point], tip) for point in ("start", "commit")):
            self._merge(clone, before)
        if self.push:
            clone.push(clone.local(self.into), self.into, before["seen"])

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Say where the branch goes back to."""
        return plan_return(self._clone(host, change), self.into, change.before)

    def undo(self, host: Host, change: Change) -> None:
        """Move the branch back, here and on the remote."""
        returned(self._clone(host, change), self.into, change.before)

    def _clone(self, host: Host, change: Change | None = None) -> Clone:
        place = change.before.get("clone", self.clone) if change else self.clone
        return Clone(host, place, self.remote)

    def _added(self, clone: Clone) -> tuple[str, str]:
        branch = self.branch or clone.current
        commit = clone.local(branch) if branch else ""
        if not commit:
            raise ActionFailed(
                f"{clone.top}: {f'no branch {branch}' if branch else 'no branch is checked out'}",
                "Name the branch to add: --branch=NAME.",
            )
        if branch in (self.into, self.base):
            raise ActionFailed(
                f"{clone.top}: {branch} is checked out, and nothing is to be added to {self.into}",
                "Switch to the branch with your changes: git switch my-branch.",
            )
        return branch, commit

    def _start(self, clone: Clone, local: str, heads: dict[str, str]) -> str:
        seen = heads[self.into]
        if local and (not seen or clone.is_ancestor(seen, local)):
            return local
        start = seen or heads[self.base]
        if not start:
            raise ActionFailed(
                f"{clone.remote}: has neither {self.into} nor {self.base}",
                f"Push {self.base} first.",
            )
        return start

    def _left_out(self, clone: Clone, local: str, start: str) -> list[Addition]:
        """Return what only the local branch has, where the remote's went another way."""
        if not local or clone.is_ancestor(local, start):
            return []
        return [] if local == start else clone.additions(start, local)

    def _planned_push(self, clone: Clone, tip: str, seen: str, branch: str) -> Change:
        facts = _facts(clone, self.remote, {self.into: seen})
        if not self.push or tip == seen:
            note = "" if tip == seen else f"; not pushed yet: {self._typed(seen)}"
            return Change(Effect.NONE, f"{branch} is in {self.into} already{note}", facts=facts)
        before = {"clone": clone.top, "start": tip, "commit": tip, "branch": branch,
                  "local": tip, "seen": seen}  # fmt: skip
        return Change(
            Effect.UPDATE, f"push {self.into}, which has {branch} already",
            commands=self._pushes(seen), before=before, facts=facts,
        )  # fmt: skip

    def _merge(self, clone: Clone, before: Any) -> None:
        branch, commit = before["branch"], before["commit"]
        trailers = f"Added-Branch: {branch}\nAdded-Commit: {commit}\n"
        message = f"Add {branch} to {self.into}\n\n{trailers}"
        place = f"{clone.host.state_dir}/worktrees/{self.into.replace('/', '-')}"
        clone.keep(before["local"])
        ref = (f"refs/heads/{self.into}", before["local"] or "0" * len(before["commit"]))
        points = (before["start"], before["commit"])
        done = clone.ask(asked.merge_aside(clone.top, place, points, ref, message))
        if not done.ok:
            files = ", ".join(done.stdout.split("\n")[:10]).strip(", ")
            why = f"conflicts in {files}" if files else done.stderr.strip().rpartition("\n")[2]
            raise ActionFailed(
                f"{clone.top}: {before['branch']} cannot be added to {self.into}: {why}", _CONFLICT
            )

    def _who(self, clone: Clone, seen: str) -> str:
        if self.push:
            return " and push it"
        you = clone.git("config", "user.name").stdout.strip() or "you"
        return f"; to be pushed by {you}: {self._typed(seen)}"

    def _typed(self, seen: str) -> str:
        return asked.typed_push(self.remote, self.into, seen)

    def _pushes(self, seen: str) -> tuple[str, ...]:
        return (self._typed(seen),) if self.push else ()


_CONFLICT = (
    "Agree with whoever added the other change; or begin anew with `changeover run staging-sync` "
    "and add yours first."
)


def _facts(clone: Clone, remote: str, heads: dict[str, str]) -> dict[str, str]:
    return {f"branch {b} in {clone.top} and {remote}": c or "absent" for b, c in heads.items()}


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _refuse_conflicts(clone: Clone, start: str, commit: str, additions: list[Addition]) -> None:
    done = clone.ask(asked.foresee_merge(clone.top, start, commit))
    if done.code != 1:
        return  # it goes, or this git is too old to merge in thought: the merge itself will tell
    files = done.stdout.splitlines()[1:]
    whose = [a for a in additions if _touches(clone, a, files)]
    others = f" with {'; '.join(map(str, whose))}" if whose else ""
    raise ActionFailed(f"{clone.top}: conflicts in {', '.join(files)}{others}", _CONFLICT)


def _touches(clone: Clone, addition: Addition, files: list[str]) -> bool:
    words = ("diff", "--quiet", f"{addition.commit}^1", addition.commit, "--", *files)
    return not clone.git(*words).ok


def _refuse_rewritten(
    clone: Clone, branch: str, commit: str, base: str, additions: list[Addition]
) -> None:
    for addition in additions:
        if clone.is_ancestor(addition.added, commit) or not _of_branch(clone, addition, branch):
            continue
        lost = clone.commits(addition.added, base, commit)
        old = {c: p for p, c in clone.patches(addition.added, base, commit).items()}
        new = clone.patches(commit, base, addition.added)
        if not addition.recorded and not {*old.values()} & {*new}:
            continue
        lines = [f"{c[:10]} {s}{_now(new.get(old.get(c, ''), ''))}" for c, _, s in lost]
        raise ActionFailed(
            f"{branch}: was rewritten after it was added to the gathering branch on "
            f"{addition.date} by {addition.author}: {'; '.join(lines)}",
            f"Bring these commits back (git merge {addition.added[:12]}); or begin anew: "
            "changeover run staging-sync; or add it even so: --rewritten",
        )


def _of_branch(clone: Clone, addition: Addition, branch: str) -> bool:
    """Say whether an addition may be what a branch was: by its trailer, or nobody's any more."""
    if addition.recorded:
        return addition.branch == branch
    if addition.added == addition.commit:
        return False
    words = ("for-each-ref", "--format=%(refname)", f"--contains={addition.added}")
    holders = clone.git(*words, "refs/heads", "refs/remotes").stdout.splitlines()
    return not [h for h in holders if not clone.is_ancestor(addition.commit, h)]


def _now(commit: str) -> str:
    return f" (now {commit[:10]})" if commit else " (gone)"
