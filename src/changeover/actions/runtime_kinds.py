"""Pythons and Nodes of given versions, and letting those go that nothing uses any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.paths import demand_absolute
from changeover.actions.runtime import Runtime
from changeover.errors import InvalidRelease
from changeover.hosts.command import Command
from changeover.hosts.host import Host
from changeover.model.findings import Finding, passed
from changeover.model.plan import Change, Effect
from changeover.tools import runtimes


@dataclass(frozen=True, kw_only=True)
class Python(Runtime):
    """Have a Python of a version that will do: the distribution's, pyenv's, or one brought by uv.

    What is there is used, in that order. Another one comes from uv (that of the host, or one
    installed from the package index beside it) into a folder of its own under `home`; nothing of
    the distribution is replaced. An undo removes what was brought.
    """

    name: ClassVar[str] = "python.interpreter"
    word: ClassVar[str] = "Python"

    def found(self, host: Host) -> Mapping[str, str]:
        """Ask for those that are there."""
        return runtimes.parse_programs(host.ask(runtimes.pythons(self.home)).stdout)

    def bringing(self, version: str) -> Command:
        """Bring one with uv."""
        return runtimes.bring_python(self.home, version)


@dataclass(frozen=True, kw_only=True)
class Node(Runtime):
    """Have a Node of a version that will do: the distribution's, nvm's, or npm's package `node`.

    What is there is used, in that order. Another one comes with an npm of its own into a folder
    under `home`; `link` leads to node, and a link `npm` beside it to npm. An undo removes what was
    brought and sets the links back.
    """

    name: ClassVar[str] = "node.runtime"
    word: ClassVar[str] = "Node"

    npm: str = "10"
    """The npm that comes with one that is brought."""

    def found(self, host: Host) -> Mapping[str, str]:
        """Ask for those that are there."""
        return runtimes.parse_programs(host.ask(runtimes.nodes(self.home)).stdout)

    def bringing(self, version: str) -> Command:
        """Bring one with npm."""
        return runtimes.bring_node(self.home, version, self.npm)

    def links(self, program: str) -> dict[str, str]:
        """Return the link to node and, beside it, the one to npm."""
        if not self.link:
            return {}
        beside = str(PurePosixPath(self.link).with_name("npm"))
        return {self.link: program, beside: str(PurePosixPath(program).with_name("npm"))}


@dataclass(frozen=True)
class Prune(Action):
    """Remove versions of interpreters that nothing runs from, no link leads to and no file names.

    Only those that `python.interpreter` and `node.runtime` brought can go. Put it in `settle`,
    after the new version serves. What is removed does not come back.
    """

    name: ClassVar[str] = "runtime.prune"

    homes: tuple[str, ...]
    """Folders whose folders are versions: [/opt/python, /opt/node]."""
    links: tuple[str, ...] = ()
    """Links whose targets stay."""
    files: tuple[str, ...] = ()
    """Files that name what they use, `*` for any: [/srv/releases/*/venv/pyvenv.cfg]."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, **{f"homes[{n}]": home for n, home in enumerate(self.homes)})
        shallow = [home for home in self.homes if home.count("/") < 2]
        if shallow:
            raise InvalidRelease(
                f"{self.name}: homes: {shallow[0]} holds more than versions",
                "Name a folder at least two levels deep.",
            )

    def check(self, host: Host) -> Iterable[Finding]:
        """Nothing can be wrong."""
        yield passed("what is in use stays")

    def plan(self, host: Host) -> Change:
        """Say what nothing uses now; which it is then, is seen then."""
        old = self._old(host)
        return Change(
            Effect.DELETE if old else Effect.NONE,
            f"remove {', '.join(old)}" if old else "no version is left over",
            unforeseen="what is in use is seen when its turn comes",
        )

    def apply(self, host: Host, change: Change) -> None:
        """Look again, and remove."""
        old = self._old(host)
        if old:
            host.do_once(runtimes.remove(*old))

    def _old(self, host: Host) -> list[str]:
        asked = runtimes.unused(self.homes, self.links, self.files)
        return sorted(host.do(asked).splitlines())
