"""Who may change a host: a lease with a token on the host itself, and what earlier shells left."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from shlex import quote

from changeover.errors import Fenced, NotReady
from changeover.hosts.calls import Calls, Request, last_line
from changeover.hosts.channel import Limit
from changeover.hosts.link import Gone

TOKEN = re.compile(r"[A-Za-z0-9._:-]{1,100}\Z")
LOOK_AGAIN = 0.2
"""Seconds between two looks at a command that belongs to somebody else."""
END_GRACE = 5.0


@dataclass(frozen=True)
class Lease:
    """A lock on a host as its file has it."""

    token: str
    holder: str
    left: float
    """Seconds until it lapses; 0 if it has."""


@dataclass(frozen=True)
class Leftover:
    """A command an earlier shell of this tool started, and which still runs."""

    shell: str
    pid: int
    born: str
    what: str

    def __str__(self) -> str:
        return f"{self.what} (process {self.pid})"


class Leases(Calls):
    """The fence: with a token, whatever is sent proves the lease before it does anything."""

    def lock_take(
        self, token: str, holder: str, ttl: float, *, force: bool = False
    ) -> Lease | None:
        """Take the lease and arm the fence; return who has it where it is not free.

        A lapsed lease is free, and so is one with this very token. Raises `NotReady` where the
        state folder cannot be used.
        """
        if not TOKEN.match(token):
            raise ValueError(f"{token!r}: not a token")
        armed, self.token = self.token, ""
        words = f"co_take {token} {int(ttl)} {'force' if force else quote('')} {_holder(holder)}"
        arm = f'[ "$co_got" != taken ] || co_token={token}'
        text = f'co_got=$(co_under_mutex {words}) && printf %s "$co_got" && {{ {arm}; }}'
        lines, self._lines = self._lines, []
        try:
            call = self._ask(Request(f"co_token=; {text}"), "take the lock")
        finally:
            self.token, self._lines = armed, lines + self._lines
        if call.code != 0:
            raise NotReady(
                f"{self.name}: {self.state_dir}: {last_line(call)}",
                "Work as root (`become: sudo`), or let `state_dir` name a folder of this user.",
            )
        current = _lease(call.out.decode())
        self.token = token if current is None else armed
        return current

    def lock_renew(self, token: str, holder: str, ttl: float) -> None:
        """Prolong the lease, also while a command runs; raises `Fenced` if it was lost."""
        words = f"co_under_mutex co_renew {quote(token)} {int(ttl)} {_holder(holder)}"
        answer = self._beside(words, "renew the lock")
        if answer == "lost":
            raise Fenced(
                f"{self.name}: the lock is no longer ours", "See `changeover lock status`."
            )
        if answer != "renewed":
            raise NotReady(f"{self.name}: renew the lock: {answer or 'no answer'}")

    def lock_release(self, token: str) -> None:
        """Give the lease up, if it is ours."""
        self._beside(f"co_under_mutex co_release {quote(token)}", "release the lock")

    def lock_show(self) -> Lease | None:
        """Return the lease that is there, lapsed or not."""
        return _lease(self._beside("co_show", "look at the lock"))

    def leftover(self) -> Leftover | None:
        """Return a command that an earlier shell started (or one cut off) and which still runs.

        Only shells that held a lease record what they do. A daemon such a command left behind
        does not count. Ask after taking the lease: what starts later finds it gone.
        """
        own = " ".join(sorted(self.live))
        text = f"co_leftovers {own}"
        token, self.token = self.token, ""
        lines, self._lines = self._lines, []
        try:
            call = self._ask(Request(f"( co_token=; {text} )"), "look for what still runs")
        finally:
            self.token, self._lines = token, lines + self._lines
        found = call.out.decode(errors="replace").splitlines()
        if not found:
            return None
        shell, pid, born, what = [*found[0].split(" ", 3), ""][:4]
        return Leftover(shell, int(pid), born, what)

    def wait_leftover(self, timeout: float) -> bool:
        """Wait until nothing is left over; return whether that came true in time."""
        end = time.monotonic() + timeout
        while self.leftover() is not None:
            if time.monotonic() >= end:
                return False
            time.sleep(LOOK_AGAIN)
        return True

    def end_leftover(self) -> bool:
        """End what is left over, asked first, then without asking; return whether it is gone."""
        for signal in ("TERM", "KILL"):
            until = time.monotonic() + END_GRACE
            while (found := self.leftover()) is not None and time.monotonic() < until:
                self._beside(f"co_end_leftover {found.pid} {found.born} {signal}", "end it")
                self.wait_leftover(END_GRACE / 5)
        return self.leftover() is None

    def journal_lines(self) -> list[str]:
        """Return the lines of the host's journal, each once and in order; torn ones are dropped.

        A line is torn if it is no JSON object.
        """
        words = '[ ! -e "$co_dir/journal" ] || cat -- "$co_dir/journal"'
        call = self._ask(Request(words, limit=Limit(600.0)), "read the journal")
        lines = call.out.decode(errors="replace").splitlines()
        return list(dict.fromkeys(line for line in lines if _whole(line)))

    def _beside(self, words: str, doing: str) -> str:
        try:
            return self._open().aside(words)
        except Gone as fault:
            raise self.reach.gone(fault, doing) from fault


def _holder(holder: str) -> str:
    return quote(" ".join(holder.split())[:200] or "unknown")


def _lease(answer: str) -> Lease | None:
    if not answer.startswith("held "):
        return None
    _, token, left, holder = [*answer.split(" ", 3), ""][:4]
    return Lease(token, holder, float(left))


def _whole(line: str) -> bool:
    return line.startswith("{") and line.endswith("}")
