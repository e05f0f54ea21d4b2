"""Python environments."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.foreseen import missing
from changeover.actions.links import real_path
from changeover.actions.outcome import demand
from changeover.actions.paths import demand_absolute, require_account
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import python, tree
from changeover.tools.python import Source
from changeover.tools.version import parse_version, require_condition, satisfies

STAMP = ".changeover-stamp"


@dataclass(frozen=True)
class Venv(Action):
    """Make a Python environment from requirement files, and import the application with it.

    A successful `pip install` proves little: the modules named in `imports` are imported in `cwd`
    before the environment counts as made. A stamp written last holds the digest of everything it
    was made from, so the next plan knows; where the one named in `reuse` was made from the same, it
    is copied within seconds (hard links, its own path put right). Environments cannot be moved: one
    that is there and differs is set aside while the new one is built in its place, and comes back
    on undo. Give each release a folder of its own, and nothing that runs is touched.
    """

    name: ClassVar[str] = "python.venv"
    limit: ClassVar[float] = 1800.0

    folder: str
    """Where the environment goes. Links on the way are followed first."""
    requirements: tuple[str, ...] = ()
    """Requirement files on the host; files they include count too."""
    packages: tuple[str, ...] = ()
    """Further packages, as pip takes them: `setuptools<81`."""
    python: str = "python3"
    """The Python to make it with: a program or a path."""
    version: str = ""
    """Which versions of it will do, such as `>=3.8,<3.12`; empty for any."""
    find_links: str = ""
    """A folder or page with packages, for hosts without a network."""
    no_index: bool = False
    """Take packages from `find_links` alone."""
    constraints: tuple[str, ...] = ()
    """Constraint files on the host."""
    imports: tuple[str, ...] = ()
    """Modules that must import."""
    cwd: str = ""
    """Where they are imported: the application's folder."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Settings, not secret, for pip and for the imports."""
    reuse: str = ""
    """An environment to copy where it was made from the same: that of the release in service."""
    user: str = ""
    """Work as this user; empty for the one the host works as."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, folder=self.folder)
        require_condition(self.version)

    def check(self, host: Host) -> Iterable[Finding]:
        """The Python must be there, in a version that will do."""
        yield from require_account(host, self.user)
        told = self._version(host)
        if not told:
            yield missing(host, f"{self.python} does not run", "Install it, or name another one.")
        elif not satisfies(told, self.version):
            remedy = "Install such a version, and name it in `python`."
            yield failed(f"{self.python} is {told}, {self.version} is needed", remedy)
        else:
            yield passed(f"{self.python} is {told}")

    def plan(self, host: Host) -> Change:
        """Compare the stamp with what the environment would be made from."""
        folder = self._real(host)
        there = host.look(folder).there
        wanted, unread = self._stamp(host)
        stamp = host.read(f"{folder}/{STAMP}") if there else None
        if not unread and stamp == wanted:
            return Change(Effect.NONE, f"{folder} is as wanted", facts={f"stamp {folder}": "same"})
        return Change(
            Effect.UPDATE if there else Effect.CREATE,
            f"{'rebuild' if there else 'make'} {folder} with {self.python}",
            commands=self._shown(host, folder),
            before={"folder": folder, "had": there},
            unforeseen=f"{unread} is known once the step before has brought it" if unread else "",
            alters=(f"stamp {folder}",),
        )

    def apply(self, host: Host, change: Change) -> None:
        """Make it, install, import, and put the stamp last."""
        folder = change.before["folder"]
        aside = (folder,) if change.before["had"] else ()
        if not self._copied(host, folder, aside):
            self._made(host, folder, aside)
        self._import(host, folder)
        stamp, unread = self._stamp(host)
        if unread:
            raise ActionFailed(f"{host.name}: {unread}: no such file", "Check `requirements`.")
        host.write(f"{folder}/{STAMP}", stamp, owner=self.user)

    def _copied(self, host: Host, folder: str, aside: tuple[str, ...]) -> bool:
        original = real_path(host, self.reuse) if self.reuse else ""
        if not original or original == folder:
            return False
        if host.read(f"{original}/{STAMP}") != self._stamp(host)[0]:
            return False
        asked = tree.aside_first(python.copy(original, folder).by(self.user), *aside)
        return host.once(asked, label="copy").ok

    def _made(self, host: Host, folder: str, aside: tuple[str, ...]) -> None:
        create = tree.aside_first(python.create(self.python, folder).by(self.user), *aside)
        made = host.once(create, label="create")
        demand(made, f"{host.name}: {folder} cannot be made", "Install its venv module.")
        if self.requirements or self.packages:
            files = [real_path(host, file) for file in self.requirements]
            asked = python.install(folder, files, self.packages, self._source())
            done = host.once(replace(asked, env=self.env, user=self.user), label="install")
            demand(done, f"{host.name}: {folder}: pip cannot install", "Look at what it said.")

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Say whether it goes or an older one comes back."""
        folder = change.before.get("folder", "")
        older = bool(change.before.get("had"))
        if not folder or not host.look(f"{folder}.before" if older else folder).there:
            return Change(Effect.NONE, "no environment was made")
        if older:
            return Change(Effect.UPDATE, f"bring back the older {folder}")
        return Change(Effect.DELETE, f"remove {folder}")

    def undo(self, host: Host, change: Change) -> None:
        """Remove it, or bring the older one back."""
        folder = change.before["folder"]
        if change.before["had"]:
            host.do(tree.back(folder))
        else:
            host.do(tree.remove(folder))
            host.remove(f"{folder}/{STAMP}")

    def _import(self, host: Host, folder: str) -> None:
        if not self.imports:
            return
        cwd = real_path(host, self.cwd) if self.cwd else ""
        asked = python.import_modules(folder, self.imports, cwd)
        done = host.ask(replace(asked, env=self.env, user=self.user))
        if not done.ok:
            why = done.stderr.strip().rpartition("\n")[2] or f"exited {done.code}"
            raise ActionFailed(
                f"{host.name}: {folder}: {', '.join(self.imports)} cannot be imported: {why}",
                "Pin what is missing in the requirements (such as `setuptools<81`).",
            )

    def _stamp(self, host: Host) -> tuple[bytes, str]:
        """Return the stamp, and the first requirement file that could not be read."""
        made_from: dict[str, str] = {}
        for file in (*self.requirements, *self.constraints):
            for path, content in _with_nested(host, real_path(host, file)):
                if content is None:
                    return b"", path
                made_from[PurePosixPath(path).name] = content
        source = [self.packages, self.find_links, self.no_index, self.imports, dict(self.env)]
        told = [self.python, self._version(host), made_from, source]
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        return f"sha256:{digest}\n".encode(), ""

    def _version(self, host: Host) -> str:
        done = host.ask(python.version(self.python))
        return parse_version(done.stdout + done.stderr) if done.ok else ""

    def _real(self, host: Host) -> str:
        parent = PurePosixPath(self.folder).parent
        return f"{real_path(host, str(parent))}/{PurePosixPath(self.folder).name}"

    def _source(self) -> Source:
        return Source(self.find_links, self.no_index, self.constraints)

    def _shown(self, host: Host, folder: str) -> tuple[str, ...]:
        shown = [f"{self.python} -m venv {folder}"]
        if self.requirements or self.packages:
            asked = python.install(folder, self.requirements, self.packages, self._source())
            shown.append(str(asked))
        if self.imports:
            shown.append(f"{folder}/bin/python -c 'import {', '.join(self.imports)}'")
        return tuple(shown)


def _with_nested(host: Host, path: str) -> Iterator[tuple[str, str | None]]:
    content = host.read(path)
    yield path, None if content is None else content.decode(errors="replace")
    for name in python.nested((content or b"").decode(errors="replace")):
        if "://" not in name:
            yield from _with_nested(host, str(PurePosixPath(path).parent / name))
