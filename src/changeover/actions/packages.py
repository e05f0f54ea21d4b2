"""Packages of the distribution, installed and removed so that one can go back."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.foreseen import leave_open, note, noted
from changeover.actions.packages_back import plan_return, return_all, saved_in
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.command import Completed
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import coreutils
from changeover.tools.apt import Apt
from changeover.tools.packages import Choice, Move, PackageTool

NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*(=[^\s=]+)?")


@dataclass(frozen=True, kw_only=True)
class Packages(Action):
    """An action on packages of the distribution."""

    limit: ClassVar[float] = 1800.0

    packages: tuple[str, ...]
    """Names, each with a version where it matters: [nginx, "postgresql-15=15.8-0+deb12u1"]."""

    def __post_init__(self) -> None:
        wrong = [p for p in self.packages if not NAME.fullmatch(p)]
        if wrong or not self.packages:
            raise InvalidRelease(
                f"{self.name}: {wrong[0]!r} is no package"
                if wrong
                else f"{self.name}: no packages",
                "Write `name` or `name=version`, in lower case.",
            )

    @property
    def tool(self) -> PackageTool:
        """The package manager."""
        return Apt()

    @property
    def names(self) -> list[str]:
        """The packages without versions."""
        return [package.partition("=")[0] for package in self.packages]

    def check(self, host: Host) -> Iterable[Finding]:
        """The package manager must be there, and be usable by this user."""
        if not host.ask(coreutils.which(self.tool.program)).ok:
            yield failed(
                f"{self.tool.program}: no such program", "This action needs Debian or its kin."
            )
            return
        writable, free = coreutils.parse_room(host.do(coreutils.room("/var/cache/apt/archives")))
        if not writable:
            yield failed(
                "packages cannot be installed by this user", "Connect as root, or `become: sudo`."
            )
        elif free < 200 * 1024:
            yield failed(f"/var: {free // 1024} MiB free, 200 needed", "Make room: apt-get clean.")
        else:
            yield passed("packages can be installed")

    def plan(self, host: Host) -> Change:
        """Have the package manager say what it would do."""
        installed = self.installed(host)
        facts = {f"package {n}": installed.get(n, "none") for n in self.names}
        if not (due := self.due(installed)):
            there = ", ".join(f"{n} {installed.get(n, '(none)')}" for n in self.names)
            return Change(Effect.NONE, f"as wanted: {there}", facts=facts)
        done = self.rehearsed(host, due)
        if not done.ok:
            return self.unrehearsed(host, due, facts, _errors(done))
        moves = self.tool.parse_moves(done.stdout)
        return Change(
            _effect(moves),
            told(moves, self.names)
            or f"{self.tool.program} has nothing to do for {', '.join(due)}",
            diff="".join(_lines(moves)),
            commands=(" ".join([self.tool.program, self.verb, *due]),),
            before={"versions": {m.name: m.old for m in moves}},
            facts=facts,
            alters=tuple(f"package {m.name}" for m in moves),
        )

    def plan_undo(self, host: Host, change: Change) -> Change:
        """See which packages are not of the versions they had."""
        return plan_return(host, self.tool, change.before["versions"])

    def undo(self, host: Host, change: Change) -> None:
        """Bring back the versions there were, and remove what was not there."""
        return_all(host, self.tool, change.before["versions"])

    def installed(self, host: Host) -> Mapping[str, str]:
        """Return name -> version of the packages concerned, as earlier steps will leave them."""
        now = dict(self.tool.parse_versions(host.ask(self.tool.versions(self.names)).stdout))
        foreseen = {n: v for n in self.names if (v := noted(host, f"package {n}"))}
        return {n: v for n, v in (now | foreseen).items() if v != "none"}

    def save(self, host: Host, versions: Mapping[str, str]) -> None:
        """Keep the packages one would need to go back, while they can still be had."""
        wanted = [f"{name}={old}" for name, old in versions.items() if old]
        if wanted:
            host.once(self.tool.save(wanted, saved_in(host)), label="save")

    verb: ClassVar[str] = "install"

    @abstractmethod
    def due(self, installed: Mapping[str, str]) -> list[str]:
        """Return the packages something is to be done about."""

    @abstractmethod
    def rehearsed(self, host: Host, due: list[str]) -> Completed:
        """Have the package manager say what it would do."""

    def unrehearsed(self, host: Host, due: list[str], facts: Mapping[str, str], why: str) -> Change:
        """Say what is known where the package manager cannot tell; by default that is an error."""
        raise ActionFailed(f"{host.name}: {self.verb} {' '.join(due)}: {why}", "Correct the names.")


@dataclass(frozen=True, kw_only=True)
class Install(Packages):
    """Install packages; those that are there stay as they are, unless a version is asked for.

    Nobody is asked anything, and configuration files people edited stay. Going back brings the
    earlier versions, which are kept beforehand as far as the sources still have them.
    """

    name: ClassVar[str] = "packages.install"

    latest: bool = False
    """Whether packages that are there are brought to the newest version the sources have."""
    refresh: bool = True
    """Whether to fetch the lists of packages first."""
    recommends: bool = True
    """Whether recommended packages come along."""
    allow_downgrade: bool = False
    """Whether a version older than the installed one may be asked for."""
    allow_removal: bool = False
    """Whether other packages may be removed where they are in the way."""
    restart_services: bool = False
    """Whether the packages may restart their services; else do so in a step of its own."""

    def due(self, installed: Mapping[str, str]) -> list[str]:
        """Return what is missing, of another version, or perhaps not the newest."""
        return [p for p in self.packages if self.latest or not _met(p, installed)]

    def rehearsed(self, host: Host, due: list[str]) -> Completed:
        """Have apt rehearse it."""
        return host.ask(self.tool.rehearse(due, self._choice()))

    def unrehearsed(self, host: Host, due: list[str], facts: Mapping[str, str], why: str) -> Change:
        """Where the lists do not have a package, fresh ones may; all else is an error."""
        names = [package.partition("=")[0] for package in due]
        offered = self.tool.parse_offered(host.ask(self.tool.offered(names)).stdout)
        listed = offered | {one.partition("=")[0] for one in offered}
        if not self.refresh or set(due) <= listed:
            return super().unrehearsed(host, due, facts, why)
        return Change(
            Effect.CREATE,
            f"install {', '.join(due)}",
            commands=(" ".join([self.tool.program, "install", *due]),),
            before={"versions": {n: "" if v == "none" else v for n, v in _by_name(facts)}},
            facts=facts,
            alters=tuple(facts),
            unforeseen=f"the lists of packages are not fresh: {why}",
        )

    def foresee(self, shadow: Host, change: Change) -> None:
        """Later steps find the packages, and whatever they may bring."""
        if change.needed:
            leave_open(shadow)
            for package in self.packages:
                name, _, version = package.partition("=")
                note(shadow, f"package {name}", version or "known at run time")

    def apply(self, host: Host, change: Change) -> None:
        """Refresh the lists, keep what one would go back to, and install."""
        if self.refresh:
            host.do_once(self.tool.refresh(), label="refresh")
        self.save(host, change.before["versions"])
        host.do_once(self.tool.install(self.packages, self._choice()), label="install")

    def verify(self, host: Host, change: Change) -> None:
        """Each package is there, of the version asked for, or one that stands for it."""
        installed = self.installed(host)
        wrong = [p for p in self.packages if not _met(p, installed)]
        if wrong and set(wrong) - self.tool.parse_provided(host.ask(self.tool.provided()).stdout):
            now = ", ".join(f"{n} {v}" for n, v in installed.items()) or "none of them"
            raise ActionFailed(f"{host.name}: not installed: {', '.join(wrong)} (there: {now})")

    def _choice(self) -> Choice:
        return Choice(
            self.recommends, self.allow_downgrade, self.allow_removal, self.restart_services
        )


@dataclass(frozen=True, kw_only=True)
class Remove(Packages):
    """Remove packages, and those that need them; going back installs them again."""

    name: ClassVar[str] = "packages.remove"
    verb: ClassVar[str] = "remove"

    purge: bool = False
    """Whether their configuration files go as well. Those do not come back."""
    allow_others: bool = False
    """Whether packages that need them may be removed too."""

    def due(self, installed: Mapping[str, str]) -> list[str]:
        """Return what is there."""
        return [name for name in self.names if name in installed]

    def rehearsed(self, host: Host, due: list[str]) -> Completed:
        """Have apt rehearse it; refuse where others would go unasked."""
        done = host.ask(self.tool.rehearse_removal(due))
        others = {m.name for m in self.tool.parse_moves(done.stdout)} - set(due)
        if others and not self.allow_others:
            raise ActionFailed(
                f"{host.name}: {', '.join(due)}: {', '.join(sorted(others))} would be removed too",
                "Name them as well, or say `allow_others: true`.",
            )
        return done

    def foresee(self, shadow: Host, change: Change) -> None:
        """Later steps do not find the packages."""
        for name in self.names:
            note(shadow, f"package {name}", "none")

    def apply(self, host: Host, change: Change) -> None:
        """Keep the packages, and remove them."""
        self.save(host, change.before["versions"])
        host.do_once(self.tool.remove(self.names, purge=self.purge), label="remove")

    def verify(self, host: Host, change: Change) -> None:
        """None of them is there."""
        if left := self.due(self.installed(host)):
            raise ActionFailed(f"{host.name}: still installed: {', '.join(left)}")


def told(moves: list[Move], names: Iterable[str] = ()) -> str:
    """Return what becomes of packages in one line, those that were asked for first."""
    asked = [m for m in moves if m.name in set(names)] or moves
    shown = [_phrase(m) for m in asked[:5]]
    more = len(moves) - len(shown)
    return ", ".join(shown) + (f", and {more} more" if more else "")


def _phrase(move: Move) -> str:
    if not move.old:
        return f"install {move.name} {move.new}"
    if not move.new:
        return f"remove {move.name} {move.old}"
    return f"{move.name} {move.old} -> {move.new}"


def _lines(moves: list[Move]) -> Iterable[str]:
    for move in sorted(moves, key=lambda m: m.name):
        yield from (
            f"{sign}{move.name} {version}\n"
            for sign, version in (("-", move.old), ("+", move.new))
            if version
        )


def _effect(moves: list[Move]) -> Effect:
    if all(not m.old for m in moves):
        return Effect.CREATE if moves else Effect.NONE
    return Effect.UPDATE if any(m.new for m in moves) else Effect.DELETE


def _met(package: str, installed: Mapping[str, str]) -> bool:
    name, _, version = package.partition("=")
    return name in installed and version in ("", installed[name])


def _by_name(facts: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    return ((fact.removeprefix("package "), version) for fact, version in facts.items())


def _errors(done: Completed) -> str:
    lines = [ln.removeprefix("E: ") for ln in done.stderr.splitlines() if ln.startswith("E: ")]
    return "; ".join(lines) or done.stderr.strip().rpartition("\n")[2] or f"exited {done.code}"
