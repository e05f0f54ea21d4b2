"""Whose files a command is about: an instance's hosts, or this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click

from changeover.cli.files.asking import Memory
from changeover.cli.journal import operator_name
from changeover.cli.opening import opened
from changeover.engine.lock import StoreLock, holder_here, parse_holder
from changeover.engine.session import Session
from changeover.errors import InvalidInput, LockHeld
from changeover.hosts.connect import connect
from changeover.hosts.host import Host
from changeover.instances.folder import INSTANCE
from changeover.model.instance import HostSpec
from changeover.model.secret import Masker

HERE = "here"
"""What this machine is called where no instance names it."""


@dataclass
class Place:
    """The hosts, where answers are remembered, and what must not be shown."""

    hosts: dict[str, Host]
    memory: Memory = field(default_factory=Memory)
    masker: Masker = field(default_factory=Masker)
    session: Session | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep runs away while files are written; raises `LockHeld` where one is under way."""
        if self.session is None:
            yield
            return
        for name, transport in self.session.transports.items():
            lease = transport.lock_show()
            if lease is not None:
                said = f"{name}: held by {parse_holder(lease.holder)}"
                raise LockHeld(said, "wait for that run, or: changeover pause")
        lock = StoreLock(self.session.store.folder)
        lock.take(holder_here("files", "files", operator_name()))
        try:
            yield
        finally:
            lock.release()


@contextmanager
def place_of(instance: Path, names: tuple[str, ...] = ()) -> Iterator[Place]:
    """Open an instance with the hosts that are named (all), or this machine where there is none."""
    if not _is_meant(instance):
        masker = Masker()
        host = connect(HostSpec(HERE, transport="local"), state_dir=_state(), masker=masker)
        try:
            yield Place({HERE: host}, masker=masker)
        finally:
            host.transport.close()
        return
    with opened(instance) as session:
        yield Place(_chosen(session, names), Memory(instance), session.masker, session)


def _is_meant(instance: Path) -> bool:
    """Say whether an instance was named, or we stand in one."""
    return str(instance) != "." or (instance / INSTANCE).is_file()


def _chosen(session: Session, names: tuple[str, ...]) -> dict[str, Host]:
    unknown = [name for name in names if name not in session.hosts]
    if unknown:
        known = ", ".join(session.hosts)
        raise InvalidInput(f"{unknown[0]}: no such host", f"name one of: {known}")
    return {name: host for name, host in session.hosts.items() if not names or name in names}


def _state() -> str:
    """Return where originals are kept on this machine."""
    if os.geteuid() == 0:
        return "/var/lib/changeover/here"
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return f"{home}/changeover/here"


hosts_option = click.option(
    "--host", "hosts", multiple=True, metavar="NAME", help="On this host alone; may be repeated."
)
"""Gives `hosts: tuple[str, ...]`."""
