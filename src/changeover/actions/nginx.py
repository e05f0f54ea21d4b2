"""nginx: configuration that is tested before it is loaded, and seen to be loaded."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from changeover.actions import back
from changeover.actions.base import Action
from changeover.actions.foreseen import is_open
from changeover.actions.paths import Placing, check_program, demand_absolute, mode_bits
from changeover.actions.wanted import Wanted
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.tools import coreutils
from changeover.tools import nginx as tool

PAUSE = 0.05
"""Seconds between two looks at the workers."""

CLOCK = 2
"""Seconds by which the start of a process, reckoned from the boot of the host, may be wrong."""


@dataclass(frozen=True, kw_only=True)
class Nginx(Action):
    """An action on one nginx."""

    config: str = ""
    """Main configuration file of the nginx that is meant, where it is not the system's."""
    prefix: str = ""
    """Folder relative paths in its configuration start from, where it is not the built-in one."""
    program: str = "nginx"
    """The program, or its path."""
    within: float = 10.0
    """Seconds until new workers must have taken over."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words that name this nginx."""
        return tool.words(self.program, self.config, self.prefix)

    def check(self, host: Host) -> Iterable[Finding]:
        """nginx must be there, and accept the configuration as it is now."""
        yield from check_program(host, self.program)
        if not host.ask(coreutils.which(self.program)).ok:
            return
        refusal = self.refusal(host)
        if refusal:
            yield failed(
                f"nginx refuses its configuration as it is now: {refusal}",
                "Mend that first: nothing can be loaded until then.",
            )
        else:
            yield passed("nginx accepts its configuration")

    def refusal(self, host: Host) -> str:
        """Return why nginx refuses its configuration; empty where it accepts it."""
        done = host.ask(tool.test(self.words))
        return "" if done.ok else tool.parse_refusal(done.stderr)

    def running(self, host: Host) -> tool.Running:
        """Return what runs of this nginx; nothing where it is not installed."""
        return tool.parse_look(host.ask(tool.look(self.words)).stdout)

    def load(self, host: Host, old: tool.Running) -> None:
        """Reload, and return once only new workers take requests; raise if they do not come."""
        host.do(tool.reload(self.words))
        end = time.monotonic() + self.within
        while not _taken_over(old, self.running(host)):
            if time.monotonic() > end:
                raise ActionFailed(
                    f"{host.name}: nginx goes on with its old workers, {self.within:g} s after the"
                    " reload",
                    f"Its error log ends with:\n{self._log(host, old.log)}",
                )
            time.sleep(PAUSE)

    def _log(self, host: Host, path: str) -> str:
        return host.ask(coreutils.tail(path, 8)).stdout.strip() or f"nothing ({path})"


@dataclass(frozen=True, kw_only=True)
class Reload(Nginx):
    """Test nginx's configuration, load it, and see new workers take over from the old ones."""

    name: ClassVar[str] = "nginx.reload"
    refreshes: ClassVar[bool] = True

    def plan(self, host: Host) -> Change:
        """A reload is always wanted; remember which workers it replaces."""
        commands = tuple(map(str, (tool.test(self.words), tool.reload(self.words))))
        change = Change(Effect.RUN, "reload nginx", commands=commands, before={"workers": []})
        if not host.ask(coreutils.which(self.program)).ok:
            if is_open(host):
                return replace(change, unforeseen=f"{self.program} is not there yet")
            raise ActionFailed(f"{host.name}: {self.program}: no such program", "Install nginx.")
        return replace(change, before={"workers": sorted(self.running(host).workers)})

    def apply(self, host: Host, change: Change) -> None:
        """Test, then reload; a configuration that is refused is never loaded."""
        refusal = self.refusal(host)
        if refusal:
            raise ActionFailed(
                f"{host.name}: {refusal}",
                "nginx was not reloaded and serves as before. Correct the configuration.",
            )
        old = self.running(host)
        if not old.master:
            raise ActionFailed(f"{host.name}: nginx does not run", "Start it: systemd.start.")
        self.load(host, old)

    def verify(self, host: Host, change: Change) -> None:
        """All workers that take requests are new."""
        now = self.running(host)
        if not now.workers or now.workers & set(change.before["workers"]):
            raise ActionFailed(
                f"{host.name}: nginx goes on with workers from before the reload",
                f"Its error log ends with:\n{self._log(host, now.log)}",
            )


@dataclass(frozen=True, kw_only=True)
class Configuring(Nginx, Placing):
    """An action that writes configuration, has it tested, and loads it."""

    reload: bool = True
    """Whether to load it at once, if nginx runs. Without, it is tested all the same."""

    def check(self, host: Host) -> Iterable[Finding]:
        """nginx must be there and well, and the folders writable."""
        yield from Nginx.check(self, host)
        yield from Placing.check(self, host)

    def plan(self, host: Host) -> Change:
        """Compare the files, and see whether nginx has loaded them."""
        change = Placing.plan(self, host)
        loads = [tool.reload(self.words)] if self.reload else []
        commands = tuple(map(str, (tool.test(self.words), *loads)))
        if change.needed:
            return replace(change, commands=commands)
        paths = [want.path for want in self.wanted(host)]
        if self.reload and self._is_older(host, paths):
            summary = f"have nginx load {paths[0]}, which changed since it last did"
            return replace(change, effect=Effect.UPDATE, summary=summary, commands=commands)
        return change

    def apply(self, host: Host, change: Change) -> None:
        """Write, test, load; what nginx refuses or cannot load is taken back at once."""
        super().apply(host, change)
        refusal = self.refusal(host)
        if refusal:
            back.put_back(host, change)
            raise ActionFailed(
                f"{host.name}: {refusal}", "The files are as they were before; nothing was loaded."
            )
        try:
            self._load_if_running(host)
        except ActionFailed:
            back.put_back(host, change)
            raise

    def undo(self, host: Host, change: Change) -> None:
        """Put the old files back, test them, and load them."""
        super().undo(host, change)
        refusal = self.refusal(host)
        if refusal:
            raise ActionFailed(
                f"{host.name}: {refusal}", "The old files are back; nginx serves as before."
            )
        self._load_if_running(host)

    def _is_older(self, host: Host, paths: list[str]) -> bool:
        """Say whether nginx runs with workers from before the last change of these files."""
        times = host.ask(coreutils.changed(*paths)).stdout.split()
        since = self.running(host).since
        return bool(since) and any(int(time) > since + CLOCK for time in times)

    def _load_if_running(self, host: Host) -> None:
        old = self.running(host) if self.reload else tool.Running()
        if old.master:
            self.load(host, old)


@dataclass(frozen=True, kw_only=True)
class Site(Configuring):
    """Write an nginx site, enable it by a link, have it tested, and load it."""

    name: ClassVar[str] = "nginx.site"

    site: str
    """Name of the site's file, such as shop or shop.conf."""
    content: str = field(repr=False)
    """The file. `template: FILE` renders a file of the bundle instead."""
    folder: str = "/etc/nginx/sites-available"
    """Where sites are."""
    enabled_in: str = "/etc/nginx/sites-enabled"
    """Where links to the enabled ones are; empty where every file of `folder` is read."""
    enabled: bool = True
    """Whether it is enabled; with false the link is removed and the file stays."""
    mode: str = "0644"
    """Permission bits in quotes."""

    def __post_init__(self) -> None:
        mode_bits(self.name, self.mode)
        demand_absolute(self.name, folder=self.folder, enabled_in=self.enabled_in or "/")
        if "/" in self.site or not self.site:
            raise InvalidRelease(
                f"{self.name}: site: {self.site!r} is no name of a file",
                "Write the name alone, and its `folder`.",
            )

    def wanted(self, host: Host) -> tuple[Wanted, ...]:
        """The file and its link."""
        path, link = f"{self.folder}/{self.site}", f"{self.enabled_in}/{self.site}"
        mode = mode_bits(self.name, self.mode)
        file = Wanted(path, content=self.content.encode(), mode=mode)
        if not self.enabled_in:
            return (file,)
        return (file, Wanted(link, "link" if self.enabled else "absent", target=path))


@dataclass(frozen=True, kw_only=True)
class Snippet(Configuring):
    """Write a file that nginx's configuration includes, have it tested, and load it."""

    name: ClassVar[str] = "nginx.snippet"

    path: str
    """Where the file is, such as /etc/nginx/snippets/tls.conf."""
    content: str = field(repr=False)
    """The file. `template: FILE` renders a file of the bundle instead."""
    mode: str = ""
    """Permission bits in quotes; left out, those it has, or 0644."""
    owner: str = ""
    """User it belongs to."""
    group: str = ""
    """Group it belongs to."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, path=self.path)
        mode_bits(self.name, self.mode)

    def wanted(self, host: Host) -> tuple[Wanted, ...]:
        """The file."""
        mode = mode_bits(self.name, self.mode)
        content = self.content.encode()
        return (Wanted(self.path, "file", content, mode, self.owner, self.group),)


def _taken_over(old: tool.Running, now: tool.Running) -> bool:
    return bool(now.workers) and not now.workers & old.workers
