"""Release folders, and the link that says which one is served."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.links import real_path
from changeover.actions.paths import demand_absolute
from changeover.errors import ActionFailed
from changeover.hosts.host import FileState, Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import git, tree


@dataclass(frozen=True)
class Release(Action):
    """Point a link at a release folder, in one rename; whoever reads it sees the old or the new.

    Where a plain folder is in the link's place (a checkout that used to be updated on the spot),
    it is adopted first: moved to `releases/adopted-<commit>` and replaced by a link to it, in one
    exchange, so that every path below it stays valid for what runs from there. Undo makes it a
    plain folder again. On file systems that cannot exchange, the path is missing for the time
    between two renames (well below a millisecond).
    """

    name: ClassVar[str] = "deploy.release"

    link: str
    """The path that programs and people use."""
    release: str
    """The release's folder, or a link to it such as `next`."""
    releases: str = ""
    """The folder of the releases, on the file system of `link`; empty for the one `release` is
    in."""
    previous: str = "previous"
    """Name of a link in `releases` to what was served before; empty for none."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, link=self.link, release=self.release)

    def check(self, host: Host) -> Iterable[Finding]:
        """What is at the link's place must be a link, a folder, or nothing."""
        state = host.look(self.link)
        if state.kind == "file":
            yield failed(f"{self.link} is a file, not a release", "Move it away.")
        elif state.kind == "dir" and self._other_disk(host):
            yield failed(
                f"{self.link} and {self._home(host)} are on different file systems",
                "Choose `releases` on the same one, so that the folder can be moved.",
            )
        else:
            yield passed(f"{self.link} can be switched")

    def plan(self, host: Host) -> Change:
        """Compare where the link leads."""
        target, now = real_path(host, self.release), host.look(self.link)
        if now.kind == "file":
            raise ActionFailed(f"{host.name}: {self.link}: a file is there", "Move it away.")
        facts = {f"file {self.link}": now.fact()}
        if now.kind == "link" and now.target == target:
            return Change(Effect.NONE, f"{self.link} leads to {target}", facts=facts)
        adopted = self._adopted(host) if now.kind == "dir" else ""
        summary = f"switch {self.link} to {target}"
        return Change(
            Effect.UPDATE if now.there else Effect.CREATE,
            f"adopt {self.link} as {adopted}, then {summary}" if adopted else summary,
            diff=f"-{now.target or adopted or 'nothing'}\n+{target}\n",
            before=self._before(host, now, target, adopted),
            facts=facts,
            alters=(f"file {self.link}*",),
            unforeseen="" if self._is_there(host, target) else f"{target} is not there yet",
            estimate=0.1,
        )

    def foresee(self, shadow: Host, change: Change) -> None:
        """Lay the link over the shadow."""
        if change.needed:
            self._switch(shadow, change)

    def apply(self, host: Host, change: Change) -> None:
        """Adopt a plain folder, then switch."""
        target = change.before["to"]
        if host.look(target).kind != "dir":
            raise ActionFailed(
                f"{host.name}: {target}: no such release", "Make it in an earlier step."
            )
        if host.look(self.link).kind == "dir":
            host.do(tree.adopt(self.link, change.before["adopted"]))
        host.do(tree.touch(target))
        self._switch(host, change)

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Say where the link would lead again."""
        before, now = change.before, host.look(self.link)
        if not before or self._is_back(now, change):
            return Change(Effect.NONE, f"{self.link} is as it was")
        if before["kind"] == "absent":
            return Change(Effect.DELETE, f"remove {self.link}", alters=(f"file {self.link}*",))
        what = before["was"] or f"the plain folder, from {before['adopted']}"
        lost = "" if self._is_ours(now, change) else f"{self.link} was switched since; lose that?"
        facts = {f"file {self.link}": now.fact()}
        return Change(
            Effect.UPDATE,
            f"switch {self.link} back to {what}",
            facts=facts,
            alters=(f"file {self.link}*",),
            question=lost,
        )

    def undo(self, host: Host, change: Change) -> None:
        """Switch back; an adopted folder takes its old place again."""
        before, now = change.before, host.look(self.link)
        if before["kind"] == "link":
            host.link(self.link, before["was"])
        elif before["kind"] == "absent":
            host.remove(self.link)
        else:
            if now.kind == "link" and host.look(before["adopted"]).kind == "dir":
                host.link(self.link, before["adopted"])
            host.do(tree.release(self.link, before["adopted"]))
        if before["previous"]:
            host.link(before["previous_link"], before["previous"])
        elif before["previous_link"]:
            host.remove(before["previous_link"])

    def _switch(self, host: Host, change: Change) -> None:
        before = change.before
        was = before["was"] or before["adopted"]
        if was and before["previous_link"]:
            host.link(before["previous_link"], was)
        host.link(self.link, before["to"])

    def _before(self, host: Host, now: FileState, target: str, adopted: str) -> dict[str, str]:
        previous_link = f"{self._home(host)}/{self.previous}" if self.previous else ""
        return {
            "kind": now.kind,
            "was": now.target,
            "adopted": adopted,
            "to": target,
            "previous_link": previous_link,
            "previous": host.look(previous_link).target if previous_link else "",
        }

    def _adopted(self, host: Host) -> str:
        head = host.ask(git.head(self.link))
        commit = head.stdout.strip()[:12] if head.ok else "folder"
        place = wanted = f"{self._home(host)}/adopted-{commit}"
        number = 1
        while host.look(place).kind not in ("absent", "link"):
            number += 1
            place = f"{wanted}-{number}"
        return place

    def _home(self, host: Host) -> str:
        return self.releases or str(PurePosixPath(real_path(host, self.release)).parent)

    def _other_disk(self, host: Host) -> bool:
        return not host.ask(tree.same_disk(self.link, self._home(host))).ok

    def _is_there(self, host: Host, target: str) -> bool:
        return host.look(target).kind == "dir"

    def _is_back(self, now: FileState, change: Change) -> bool:
        before = change.before
        return (now.kind, now.target) == (before["kind"], before["was"])

    def _is_ours(self, now: FileState, change: Change) -> bool:
        ours = (change.before["to"], change.before["adopted"], change.before["was"])
        return now.kind != "link" or now.target in ours
