"""Removing releases that nobody will go back to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.links import real_path
from changeover.actions.paths import demand_absolute
from changeover.errors import ActionFailed, CommandFailed, InvalidRelease
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import tree

SHALLOWEST = 2


@dataclass(frozen=True)
class Prune(Action):
    """Remove old release folders, never one that a link leads to.

    Kept are: every folder that a link in `links`, or a link directly in `releases` (such as
    `previous`), leads to, and of the others the `keep` that changed last. It works on real folders
    directly in `releases`, never through a link. What is removed cannot be brought back: put it
    in `settle`.
    """

    name: ClassVar[str] = "deploy.prune"
    limit: ClassVar[float] = 1800.0

    releases: str
    """The folder of the releases; nothing else may live there."""
    links: tuple[str, ...]
    """Links whose targets stay, such as the one that is served."""
    keep: int = 2
    """How many others to keep."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, releases=self.releases)
        if self.releases.count("/") < SHALLOWEST or self.keep < 0:
            raise InvalidRelease(
                f"{self.name}: releases: {self.releases!r} holds more than releases",
                "Give them a folder of their own, at least two levels deep.",
            )
        if not self.links:
            raise InvalidRelease(f"{self.name}: links: empty", "Name the link that is served.")

    def check(self, host: Host) -> Iterable[Finding]:
        """What is served must be a link, or its release could not be told from the others."""
        for link in self.links:
            if host.look(link).kind == "file":
                yield failed(f"{link} is not a link", "Name the link that is served.")
            else:
                yield passed(f"what {link} leads to stays")

    def plan(self, host: Host) -> Change:
        """Find out which folders nobody uses; which, is known when its turn comes."""
        served = all(host.look(link).there for link in self.links)
        try:
            old = self._old(host) if served else ()
        except CommandFailed:
            old = ()  # foreseen, and not yet there to be listed
        what = f"now {len(old)}: {', '.join(old)}" if old else "now none"
        return Change(
            Effect.DELETE,
            f"remove what is old from {self.releases} ({what})",
            unforeseen="what is old is known after the switch",
        )

    def apply(self, host: Host, change: Change) -> None:
        """Remove what is old now, looking again at what is in use."""
        old = [f"{self.releases}/{name}" for name in self._old(host)]
        if old:
            host.do_once(tree.remove(*old))

    def verify(self, host: Host, change: Change) -> None:
        """Nothing old may be left, and what is served must be there."""
        left = self._old(host)
        if left:
            raise ActionFailed(f"{host.name}: {self.releases}: still there: {', '.join(left)}")
        for link in self.links:
            if host.look(real_path(host, link)).kind != "dir":
                raise ActionFailed(f"{host.name}: {link} leads to no folder")

    def _old(self, host: Host) -> tuple[str, ...]:
        if host.look(self.releases).kind != "dir":
            return ()
        missing = [link for link in self.links if not host.look(link).there]
        if missing:
            raise ActionFailed(
                f"{host.name}: {missing[0]}: no such link",
                "Nothing is removed while it is unknown what is served.",
            )
        used = {real_path(host, link) for link in (*self.links, *self._links_inside(host))}
        listed = tree.parse_folders(host.do(tree.folders(self.releases)))
        others = [n for n in listed if not self._in_use(f"{self.releases}/{n}", used)]
        return tuple(n for n in others if not n.startswith("."))[self.keep :]

    def _links_inside(self, host: Host) -> list[str]:
        names = host.do(tree.links(self.releases)).splitlines()
        return [f"{self.releases}/{name}" for name in names if name]

    @staticmethod
    def _in_use(folder: str, used: set[str]) -> bool:
        return any(path == folder or path.startswith(f"{folder}/") for path in used)
