"""One run at a time: a lock in the store, and one with a lease and a token on every host.

The store's lock is the kernel's (`flock`): it ends with the process that holds it, so a killed run
can go on at once on the same machine. The hosts' locks keep other machines out: they lapse
`LEASE` seconds after their holder was last heard of, and every effect on a host is refused once
the token there is another one (fencing).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from changeover.errors import ChangeoverError, LockHeld
from changeover.hosts.transport import ShellTransport

LEASE = 30.0
"""Seconds a host's lock outlives a holder that is no longer heard of."""
RENEW_EVERY = 8.0
LOOKS, PAUSE = 20, 0.01
"""How often, and how many seconds apart, the store's lock is tried while nobody is at work."""


@dataclass(frozen=True)
class Holder:
    """Who holds the lock of an instance, as it is shown to others."""

    store: str
    run: str
    by: str
    machine: str
    pid: int

    def __str__(self) -> str:
        return f"{self.by} on {self.machine} (process {self.pid}, run {self.run})"

    def line(self) -> str:
        """Return one word for the host's lock file."""
        return "|".join([self.store, self.run, self.by, self.machine, str(self.pid)])


def parse_holder(line: str) -> Holder:
    """Read what `Holder.line` wrote."""
    store, run, by, machine, pid = (line.split("|") + [""] * 5)[:5]
    return Holder(store, run, by, machine, int(pid) if pid.isdigit() else 0)


class StoreLock:
    """The lock of the store on this machine."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file: IO[str] | None = None

    def take(self, holder: Holder) -> None:
        """Take it, or raise `LockHeld` saying who has it."""
        file = self._path.open("a+")
        for _ in range(LOOKS):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if self.shown():
                self._refuse(file)
            time.sleep(PAUSE)  # somebody only looks who has it, or has it since this moment
        else:
            self._refuse(file)
        file.truncate(0)
        file.write(json.dumps(vars(holder)))
        file.flush()
        self._file = file

    def _refuse(self, file: IO[str]) -> NoReturn:
        file.close()
        raise LockHeld(
            f"{self.shown() or 'somebody'} is at work on this instance",
            "watch it: changeover watch; ask it to stop: changeover pause",
        )

    def shown(self) -> Holder | None:
        """Return who holds it now; None where nobody does."""
        with contextlib.suppress(OSError, ValueError, TypeError), self._path.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Holder(**json.loads(self._path.read_text()))
        return None

    def release(self) -> None:
        """Give it back."""
        if self._file:
            self._file.close()
            self._file = None


class InstanceLock:
    """Holds the store's lock and every host's while a run lives."""

    def __init__(self, folder: Path, hosts: Mapping[str, ShellTransport], holder: Holder) -> None:
        self._local, self._hosts, self._holder = StoreLock(folder), hosts, holder
        self._stop = threading.Event()
        # One thread a host: waiting for one that is away must not let the others' leases lapse.
        self._renewals = [
            threading.Thread(target=self._renew, args=(host,), daemon=True)
            for host in hosts.values()
        ]
        self.token = 0

    def take(self, token: int, *, force: bool = False) -> None:
        """Take all locks; the token must be higher than any before it on these hosts."""
        self._local.take(self._holder)
        self.token = token
        try:
            with ThreadPoolExecutor(max(1, min(len(self._hosts), 32))) as pool:
                for _ in pool.map(lambda name: self._take_on(name, force=force), self._hosts):
                    pass
        except ChangeoverError:
            self.release()
            raise
        for renewal in self._renewals:
            renewal.start()

    def _take_on(self, name: str, *, force: bool) -> None:
        lock, line, token = self._hosts[name], self._holder.line(), self.token
        held = lock.lock_take(token, line, LEASE, force=force)
        # We hold the kernel's lock of that store, so the process that wrote this is gone.
        if held and parse_holder(held.holder).store == self._holder.store:
            held = lock.lock_take(token, line, LEASE, force=True)
        if held:
            raise LockHeld(
                f"{name}: held by {parse_holder(held.holder)}, for another {held.left:.0f} s",
                f"it lapses {LEASE:.0f} s after that process was last heard of; if its machine is "
                "lost: changeover takeover",
            )

    def release(self) -> None:
        """Give everything back that can still be given back."""
        self._stop.set()
        for renewal in self._renewals:
            if renewal.is_alive():
                renewal.join()
        for lock in self._hosts.values():
            with contextlib.suppress(ChangeoverError):
                lock.lock_release()
        self._local.release()

    def _renew(self, lock: ShellTransport) -> None:
        while not self._stop.wait(RENEW_EVERY):
            # A host that is away keeps its lease for now; a stolen one fences every effect.
            with contextlib.suppress(ChangeoverError):
                lock.lock_renew()


def holder_here(store: str, run: str, by: str) -> Holder:
    """Describe this process."""
    return Holder(store, run, by.replace("|", "/"), socket.gethostname(), os.getpid())
