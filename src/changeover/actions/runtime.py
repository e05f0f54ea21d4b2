"""Interpreters of given versions: what is there is used, another one is brought beside it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, ClassVar, Literal

from changeover.actions.base import Action
from changeover.actions.foreseen import is_open
from changeover.actions.outcome import demand
from changeover.actions.paths import demand_absolute
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.command import Command
from changeover.hosts.host import FileState, Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import runtimes, tree
from changeover.tools.version import require_condition, satisfies

LATER = "what the distribution brings is known once its packages are there"


@dataclass(frozen=True, kw_only=True)
class Runtime(Action):
    """An interpreter in a version that will do, under fixed names."""

    limit: ClassVar[float] = 1800.0
    word: ClassVar[str]
    """What people call it."""

    version: str
    """Which versions will do: `>=3.8,<3.14`, or `3.10` for any 3.10."""
    home: str
    """The folder that versions brought here go to, one folder each."""
    link: str = ""
    """A path that is to lead to the program; empty where that of the distribution is enough."""
    origin: Literal["distribution", "other"] = "other"
    """Where none will do: `distribution` waits for packages of a step before, `other` brings it."""
    bring: str = ""
    """The version to bring; empty for the newest that the numbers in `version` allow."""

    env: Mapping[str, str] = field(default_factory=dict)
    """Settings, not secret, for what brings it: {UV_PYTHON_INSTALL_MIRROR: https://...}."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, home=self.home, **({"link": self.link} if self.link else {}))
        require_condition(self.version)
        if self.origin == "other" and not self._wanted():
            raise InvalidRelease(
                f"{self.name}: version: {self.version!r} does not say which one to bring",
                "Write `bring: ...`, or a plain version such as 3.10.",
            )

    @abstractmethod
    def found(self, host: Host) -> Mapping[str, str]:
        """Return path -> version of those that are there, the preferred first."""

    @abstractmethod
    def bringing(self, version: str) -> Command:
        """Return the command that brings a version into `home`."""

    def links(self, program: str) -> dict[str, str]:
        """Return link -> target for a program that was chosen."""
        return {self.link: program} if self.link else {}

    def check(self, host: Host) -> Iterable[Finding]:
        """Links must not stand where files of somebody else are."""
        for link in self.links("/any/program"):
            if host.look(link).kind in ("file", "dir"):
                yield failed(f"{link} is there and is no link", "Move it away, or name another.")
        chosen = self._chosen(host)
        yield passed(f"{self.word} {chosen[1]} is there" if chosen else f"{self.word} comes")

    def plan(self, host: Host) -> Change:
        """See which one will do; bring one where none does."""
        chosen = self._chosen(host)
        if chosen is None:
            return self._missing(host)
        program, version = chosen
        due = self._due(host, program)
        facts = {f"{self.word} for {self.version}": version}
        if not due:
            return Change(Effect.NONE, f"{self.word} {version} is at {program}", facts=facts)
        return Change(
            Effect.UPDATE,
            f"{self.word} {version} at {program}: link {', '.join(due)}",
            before=self._before(host),
            facts=facts,
        )

    def foresee(self, shadow: Host, change: Change) -> None:
        """Later steps find the links, where it is known what they lead to."""
        chosen = self._chosen(shadow)
        for at, to in self._due(shadow, chosen[0]).items() if chosen else ():
            shadow.link(at, to)

    def apply(self, host: Host, change: Change) -> None:
        """Bring it where none will do, then set the links."""
        if self._chosen(host) is None:
            asked = replace(self.bringing(self._wanted()), env=self.env)
            done = host.once(asked, label="bring")
            demand(done, f"{host.name}: {self.word} {self._wanted()} cannot be brought", self.help)
        chosen = self._chosen(host)
        if chosen is None:
            raise ActionFailed(f"{host.name}: no {self.word} {self.version} is there", self.help)
        for at, to in self._due(host, chosen[0]).items():
            host.link(at, to)

    help: ClassVar[str] = "See whether the network allows it, or name another origin or version."

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Say which links go back, and which version goes."""
        parts = [f"set {at} back" for at in self._moved(host, change)]
        parts += [f"remove {folder}" for folder in self._brought(host, change)]
        return Change(Effect.UPDATE if parts else Effect.NONE, "; ".join(parts) or "nothing to do")

    def undo(self, host: Host, change: Change) -> None:
        """Set the links back, and remove what was brought."""
        for at, was in self._moved(host, change).items():
            if was:
                host.link(at, was)
            else:
                host.remove(at)
        folders = self._brought(host, change)
        if folders:
            host.do(runtimes.remove(*folders))

    def _missing(self, host: Host) -> Change:
        if self.origin == "distribution" and not is_open(host):
            raise ActionFailed(
                f"{host.name}: no {self.word} {self.version} is there",
                "Install the distribution's first, or choose another origin.",
            )
        where = "the distribution" if self.origin == "distribution" else self.home
        return Change(
            Effect.CREATE,
            f"bring {self.word} {self._wanted() or self.version} to {where}",
            before=self._before(host),
            unforeseen=LATER if is_open(host) else "",
        )

    def _chosen(self, host: Host) -> tuple[str, str] | None:
        for program, version in self.found(host).items():
            if satisfies(version, self.version):
                return program, version
        return None

    def _wanted(self) -> str:
        plain = all(c.isdigit() or c == "." for c in self.version)
        return self.bring or (self.version if plain else "")

    def _before(self, host: Host) -> dict[str, Any]:
        return {
            "links": {at: _target(host.look(at)) for at in self.links("/any/program")},
            "had": self._folders(host),
        }

    def _folders(self, host: Host) -> list[str]:
        there = host.ask(tree.folders(self.home))
        return tree.parse_folders(there.stdout) if there.ok else []

    def _due(self, host: Host, program: str) -> dict[str, str]:
        """Return the links that are to be set; what is in /usr/bin is found without one."""
        now = {at: host.look(at) for at in self.links(program)}
        plain = {at for at, to in self.links(program).items() if to == f"/usr/bin/{_name(at)}"}
        return {
            at: to
            for at, to in self.links(program).items()
            if now[at].target != to and (now[at].there or at not in plain)
        }

    def _moved(self, host: Host, change: Change) -> dict[str, str]:
        links = change.before.get("links", {})
        return {at: was for at, was in links.items() if _target(host.look(at)) != was}

    def _brought(self, host: Host, change: Change) -> list[str]:
        had = change.before.get("had")
        new = [name for name in self._folders(host) if had is not None and name not in had]
        return [f"{self.home}/{name}" for name in new]


def _target(now: FileState) -> str:
    return now.target if now.kind == "link" else ""


def _name(path: str) -> str:
    return PurePosixPath(path).name
