"""Building what Node serves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from changeover.actions.base import Action
from changeover.actions.foreseen import missing
from changeover.actions.links import real_path
from changeover.actions.outcome import demand
from changeover.actions.paths import demand_absolute, require_account
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import git, node, tree
from changeover.tools.version import parse_version, require_condition, satisfies

STAMP = ".changeover-stamp"
MODULES = "node_modules"


@dataclass(frozen=True)
class Build(Action):
    """Install what the lock file says (`npm ci`, never `npm install`) and run a build script.

    A stamp beside the result, written last, holds the digest of what it was made from: the
    folder's content in git, package.json and its lock, the files in `reads`, the settings, the
    versions of Node and npm. Modules of the folder named in `reuse` that were installed from the
    same lock are copied within seconds (hard links). What was there before is set aside and comes
    back on undo. Never build in a folder that something serves from: give each release its own.
    """

    name: ClassVar[str] = "node.build"
    limit: ClassVar[float] = 1800.0

    folder: str
    """The folder with package.json and package-lock.json. Links on the way are followed first."""
    script: str = "build"
    """The script of package.json to run; empty to only install."""
    output: str = "build"
    """What the script makes, in the folder; it must be there and not empty afterwards."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Settings the build bakes in. Nothing secret: they end up in what browsers load."""
    reads: tuple[str, ...] = ()
    """Further files on the host that the result depends on, such as a `.env` read by the build."""
    node: str = "node"
    """The Node to use: a program or a path."""
    npm: str = "npm"
    """The npm to use."""
    version: str = ""
    """Which versions of Node will do, such as `>=16,<21`; empty for any."""
    npm_version: str = ""
    """Which versions of npm will do, such as `<11`; empty for any."""
    scripts: bool = True
    """Whether packages may run their own scripts when they are installed."""
    reuse: str = ""
    """A folder whose modules are copied where they are the same: that of the release in service."""
    user: str = ""
    """Work as this user; empty for the one the host works as."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, folder=self.folder)
        require_condition(self.version)
        require_condition(self.npm_version)

    def check(self, host: Host) -> Iterable[Finding]:
        """Node and npm must be there, in versions that will do."""
        yield from require_account(host, self.user)
        for program, condition in ((self.node, self.version), (self.npm, self.npm_version)):
            told = self._version(host, program)
            if not told:
                yield missing(host, f"{program} does not run", "Install it, or name another one.")
            elif not satisfies(told, condition):
                remedy = "Install such a version, and name it in `node` and `npm`."
                yield failed(f"{program} is {told}, {condition} is needed", remedy)
            else:
                yield passed(f"{program} is {told}")

    def plan(self, host: Host) -> Change:
        """Compare the stamp with what would be built from."""
        folder = real_path(host, self.folder)
        wanted, unread = self._stamp(host, folder)
        stamp = None if unread else host.read(self._stamp_file(folder))
        if stamp is not None and stamp == wanted:
            return Change(Effect.NONE, f"{folder} is built", facts={f"stamp {folder}": "same"})
        had = [path for path in self._made(folder) if host.look(path).there]
        shown = [f"cd {folder} && {self.npm} ci"]
        shown += [f"cd {folder} && {self.npm} run {self.script}"] if self.script else []
        return Change(
            Effect.UPDATE if had else Effect.CREATE,
            f"{'rebuild' if had else 'build'} {folder}",
            commands=tuple(shown),
            before={"folder": folder, "had": had},
            unforeseen=f"{unread} is known once the step before has brought it" if unread else "",
            alters=(f"stamp {folder}",),
        )

    def apply(self, host: Host, change: Change) -> None:
        """Install, build, look at the result, and put the stamp last."""
        folder = change.before["folder"]
        stamp, unread = self._stamp(host, folder)
        if unread:
            raise ActionFailed(
                f"{host.name}: {unread}: no such file",
                "npm ci needs package.json and a lock file that fits it: commit both.",
            )
        self._install(host, folder, tuple(change.before["had"]))
        if self.script:
            build = node.run(self.npm, folder, self.script, self.env)
            built = host.once(build.by(self.user), label="build")
            what = f"{host.name}: {folder}: npm run {self.script} failed"
            demand(built, what, "Look at what it said; try it in a checkout of the same commit.")
            self._look_at_result(host, folder)
        host.write(self._stamp_file(folder), stamp, owner=self.user)

    def _install(self, host: Host, folder: str, aside: tuple[str, ...]) -> None:
        modules, stamp = f"{folder}/{MODULES}", self._modules_stamp(host, folder)
        original = f"{real_path(host, self.reuse)}/{MODULES}" if self.reuse else ""
        if original not in ("", modules) and host.read(f"{original}/{STAMP}") == stamp:
            copied = tree.aside_first(node.copy(original, modules).by(self.user), *aside)
            if host.once(copied, label="copy").ok:
                host.write(f"{modules}/{STAMP}", stamp, owner=self.user)
                return
        install = node.install(self.npm, folder, scripts=self.scripts).by(self.user)
        done = host.once(tree.aside_first(install, *aside), label="install")
        remedy = "Make package-lock.json fit package.json, with an npm that may be used here."
        demand(done, f"{host.name}: {folder}: npm ci cannot install", remedy)
        if host.look(modules).there:
            host.write(f"{modules}/{STAMP}", stamp, owner=self.user)

    def _modules_stamp(self, host: Host, folder: str) -> bytes:
        """Return a digest of all that modules are made from; the package's own version is not."""
        told: list[Any] = [self._version(host, self.node), self._version(host, self.npm)]
        for name in ("package.json", "package-lock.json"):
            content = json.loads(host.read(f"{folder}/{name}") or b"{}")
            content.pop("version", None)
            content.get("packages", {}).get("", {}).pop("version", None)
            told.append(content)
        digest = hashlib.sha256(json.dumps([*told, self.scripts], sort_keys=True).encode())
        return f"sha256:{digest.hexdigest()}\n".encode()

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Say whether the result goes or an older one comes back."""
        if not change.before:
            return Change(Effect.NONE, "nothing was built")
        folder, had = change.before["folder"], change.before["had"]
        new = [path for path in self._made(folder) if path not in had]
        if any(host.look(f"{path}.before").there for path in had):
            return Change(Effect.UPDATE, f"bring back what was built in {folder}")
        if any(host.look(path).there for path in new):
            return Change(Effect.DELETE, f"remove what was built in {folder}")
        return Change(Effect.NONE, f"nothing is built in {folder}")

    def undo(self, host: Host, change: Change) -> None:
        """Remove the result, or bring the older one back."""
        folder, had = change.before["folder"], change.before["had"]
        for path in self._made(folder):
            host.do(tree.back(path) if path in had else tree.remove(path))
            if path not in had:
                host.remove(path)

    def _stamp(self, host: Host, folder: str) -> tuple[bytes, str]:
        """Return the stamp, and the first file that could not be read."""
        files = [f"{folder}/package.json", f"{folder}/package-lock.json"]
        made_from: list[str] = []
        for path in [*files, *(real_path(host, file) for file in self.reads)]:
            state = host.look(path)
            if state.kind != "file":
                return b"", path
            made_from.append(state.digest)
        tree_known = host.ask(git.content_of(folder))
        made_from.append(tree_known.stdout.strip() if tree_known.ok else "")
        versions = [self._version(host, self.node), self._version(host, self.npm)]
        told = [made_from, versions, self.script, dict(self.env), self.scripts]
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        return f"sha256:{digest}\n".encode(), ""

    def _look_at_result(self, host: Host, folder: str) -> None:
        output = f"{folder}/{self.output}"
        if not host.ask(tree.filled(output)).ok:
            raise ActionFailed(
                f"{host.name}: {output}: `npm run {self.script}` left nothing there",
                "Say in `output` what the script makes.",
            )

    def _made(self, folder: str) -> list[str]:
        made = [f"{folder}/{MODULES}", self._stamp_file(folder)]
        return [*made, f"{folder}/{self.output}"] if self.script else made

    def _stamp_file(self, folder: str) -> str:
        return f"{folder}/{STAMP}"

    def _version(self, host: Host, program: str) -> str:
        done = host.ask(node.version(program))
        return parse_version(done.stdout) if done.ok else ""
