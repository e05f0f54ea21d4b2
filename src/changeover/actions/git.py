"""Getting the exact commit a reference stands for onto a host."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.foreseen import missing
from changeover.actions.outcome import demand
from changeover.actions.paths import demand_absolute, require_account
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed, warned
from changeover.model.plan import Change, Effect
from changeover.tools import coreutils, git, tree

SHORT = 12


@dataclass(frozen=True)
class Checkout(Action):
    """Check out the exact commit that a branch, a tag or a commit stands for.

    The plan asks the repository which commit that is and pins it: if the branch moves before the
    run, the plan is refused. A mirror of the repository is kept on the host and fetched into only
    when it lacks the commit; the tree is built beside its place and arrives there in one rename,
    with a `.git` of its own, so that `git log` in it works. Submodules are refused. Credentials
    are a key file on the host, a forwarded agent, or a password that travels on standard input.
    """

    name: ClassVar[str] = "git.checkout"
    limit: ClassVar[float] = 1800.0

    repository: str
    """Address or path of the repository, without a password in it."""
    ref: str
    """A branch, a tag, a commit (at least seven digits), or a full name such as `refs/pull/7/head`.
    A tag goes before a branch of the same name."""
    into: str
    """The folder to make. `{commit}` in it becomes the first twelve digits of the commit: one
    folder per release."""
    link: str = ""
    """A link to point at the folder, by which later steps name it before the commit is known."""
    mirror: str = ""
    """Folder of the bare mirror; empty for one in the host's state folder."""
    key: str = ""
    """Private key file on the host (a deploy key), for addresses that go through ssh."""
    known_hosts: str = ""
    """File with the repository server's host key; empty for the user's own."""
    username: str = "git"
    """Name that goes with `password`."""
    password: str = ""
    """Password or token for an https address."""
    user: str = ""
    """Who owns the folder; git itself works as the user the host is worked as, with its keys and
    its forwarded agent. Empty for that one."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, into=self.into)
        if git.has_password(self.repository):
            raise InvalidRelease(
                f"{self.name}: repository: the address holds a password, which `ps` would show",
                "Write it without, and give `username` and `password`.",
            )
        for name, value in (("repository", self.repository), ("ref", self.ref)):
            if not value or value.startswith("-") or any(c.isspace() for c in value):
                raise InvalidRelease(f"{self.name}: {name}: {value!r} is not one", "Write it out.")

    def check(self, host: Host) -> Iterable[Finding]:
        """Git must be there, the repository must answer, and nobody may have edited the tree."""
        if not host.ask(coreutils.which("git")).ok:
            yield missing(host, "git is not installed", "Install the package git.")
            return
        yield from require_account(host, self.user)
        try:
            commit = self.resolve(host)
        except ActionFailed as error:
            yield failed(error.message, error.remedy)
            return
        yield passed(f"{self.ref} is {commit[:SHORT]}")
        folder = self.folder(commit)
        edited = self._edited(host, folder) if self._head(host, folder) == commit else ""
        if edited:
            yield warned(f"{folder}: edited by hand: {edited}", "Commit the edits, or undo them.")

    def plan(self, host: Host) -> Change:
        """Ask which commit the reference is now, and compare the folder."""
        commit = self.resolve(host)
        folder = self.folder(commit)
        state, link = host.look(folder), host.look(self.link) if self.link else None
        linked = link is None or (link.kind, link.target) == ("link", folder)
        if link and link.kind not in ("link", "absent"):
            raise ActionFailed(f"{host.name}: {self.link}: not a link", "Move it away.")
        there = state.kind == "dir" and self._head(host, folder) == commit
        facts = {f"commit of {self.ref} in {self.repository}": commit}
        if there and linked:
            return Change(Effect.NONE, f"{folder} is at {commit[:SHORT]}", facts=facts)
        own = "{commit}" in self.into or not state.there
        return Change(
            Effect.CREATE if own else Effect.UPDATE,
            f"check out {self.ref} at {commit[:SHORT]} into {folder}",
            commands=() if there else (f"git fetch {self.repository} {commit}",),
            before={
                "commit": commit,
                "folder": folder,
                "had": "same" if there else "other" if state.there else "nothing",
                "link": link.target if link else "",
            },
            facts=facts,
            alters=(f"*{folder}*", *((f"*{self.link}*",) if self.link else ())),
        )

    def foresee(self, shadow: Host, change: Change) -> None:
        """Lay the folder and the link over the shadow; what is in the commit is not foreseen."""
        if change.needed:
            shadow.make_folder(change.before["folder"], owner=self.user)
            if self.link:
                shadow.link(self.link, change.before["folder"])

    def apply(self, host: Host, change: Change) -> None:
        """Fetch the pinned commit, build the tree beside its place, move it there."""
        commit, folder = change.before["commit"], change.before["folder"]
        if self._head(host, folder) != commit:
            mirror = self._mirror(host)
            asked = git.fetch(mirror, self.repository, commit, self._access())
            done = host.once(asked, label="fetch")
            what = f"{host.name}: {self.repository}: {commit[:SHORT]} cannot be fetched"
            demand(done, what, "Check the network, the disk, and whether the commit was pushed.")
            grown = git.grow(mirror, folder, self.repository, commit, self.user)
            done = host.once(grown, label="grow")
            demand(done, f"{host.name}: {folder} cannot be made", "See that it can be written.")
        host.make_folder(folder, owner=self.user)
        if self.link:
            host.link(self.link, folder)

    def verify(self, host: Host, change: Change) -> None:
        """The folder must have the commit checked out, and the link must lead to it."""
        commit = change.before.get("commit") or next(iter(change.facts.values()))
        folder = self.folder(commit)
        found = self._head(host, folder)
        if found != commit:
            raise ActionFailed(f"{host.name}: {folder} is at {found or 'no commit'}, not {commit}")
        if self.link and host.look(self.link).target != folder:
            raise ActionFailed(f"{host.name}: {self.link} does not lead to {folder}")

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Say what would go."""
        if not change.before:
            return Change(Effect.NONE, "nothing was checked out")
        folder, had = change.before["folder"], change.before["had"]
        due = host.look(f"{folder}.before" if had == "other" else folder).there
        if had == "same" or not due:
            left = Effect.UPDATE if self._link_moved(host, change) else Effect.NONE
            return Change(left, f"leave {folder}")
        effect = Effect.DELETE if had == "nothing" else Effect.UPDATE
        what = f"remove {folder}" if had == "nothing" else f"bring back what {folder} was"
        return Change(effect, what, alters=(f"*{folder}*",))

    def undo(self, host: Host, change: Change) -> None:
        """Remove the tree, or bring back the one that was there; the mirror stays."""
        folder, had = change.before["folder"], change.before["had"]
        if self.link and self._link_moved(host, change):
            if change.before["link"]:
                host.link(self.link, change.before["link"])
            else:
                host.remove(self.link)
        if had == "nothing":
            host.do(tree.remove(folder, f"{folder}.partial"))
            host.remove(folder)
        elif had == "other":
            host.do(tree.back(folder))

    def resolve(self, host: Host) -> str:
        """Return the commit the reference stands for now; raise `ActionFailed` if there is none."""
        if git.COMMIT.fullmatch(self.ref):
            return self.ref
        done = host.ask(git.ls_remote(self.repository, self.ref, self._access()))
        if not done.ok:
            why = done.stderr.strip().partition("\n")[0] or f"git exited {done.code}"
            raise ActionFailed(
                f"{host.name}: {self.repository}: cannot be read: {why}",
                "Check the address, the network, and `key`, `password` or the forwarded agent.",
            )
        found = git.parse_ls_remote(done.stdout, self.ref)
        if found:
            return next(iter(found.values()))
        return self._abbreviated(host)

    def folder(self, commit: str) -> str:
        """Return where a commit goes."""
        return self.into.replace("{commit}", commit[:SHORT])

    def _abbreviated(self, host: Host) -> str:
        if git.ABBREVIATED.fullmatch(self.ref):
            told = host.ask(git.resolve(self._mirror(host), self.ref))
            if told.ok:
                return told.stdout.strip()
        raise ActionFailed(
            f"{host.name}: {self.repository}: no branch, tag or known commit {self.ref}",
            "Push it first, or write the whole commit (forty digits).",
        )

    def _head(self, host: Host, folder: str) -> str:
        done = host.ask(git.head(folder))
        return done.stdout.strip() if done.ok else ""

    def _edited(self, host: Host, folder: str) -> str:
        lines = host.ask(git.edited(folder)).stdout.splitlines()
        return ", ".join(line[3:] for line in lines[:5])

    def _link_moved(self, host: Host, change: Change) -> bool:
        return bool(self.link) and host.look(self.link).target != change.before["link"]

    def _mirror(self, host: Host) -> str:
        known = hashlib.sha256(self.repository.encode()).hexdigest()[:SHORT]
        return self.mirror or f"{host.state_dir}/mirrors/{known}.git"

    def _access(self) -> git.Access:
        return git.Access(self.key, self.known_hosts, self.username, self.password)
