"""Who may change a host: a lease with a token on the host itself, and what earlier shells left."""

from __future__ import annotations

import os
import time
from shlex import quote

from changeover.errors import Fenced, NotReady
from changeover.hosts.calls import MAKE_ROOM, Calls, Request, is_full, last_line
from changeover.hosts.channel import Limit
from changeover.hosts.link import Gone
from changeover.hosts.tenure import Lease, Leftover

SEE_LOCK = "See who has it: `changeover lock status`."
ASIDE_LIMIT = 5.0
"""Seconds for a word beside a command: renewing one host must not let the others' leases lapse."""
LOOK_AGAIN = 0.2
"""Seconds between two looks at a command that belongs to somebody else."""
END_GRACE = 5.0


class Leases(Calls):
    """The fence: with a token, whatever is sent proves the lease before it does anything."""

    _ttl: float = 0.0
    _holder: str = ""

    def lock_take(
        self, token: int, holder: str, ttl: float, *, force: bool = False
    ) -> Lease | None:
        """Take the lease for so many seconds, or return who has it; raises `NotReady`."""
        # Two machines may count to the same token: what is compared is this one's alone.
        mark = f"{int(token)}.{os.urandom(8).hex()}"
        own = "force" if force else self.token or "none"
        if self.token:
            self._drop()
        words = f"co_take {mark} {int(ttl)} {own} {_line(holder)}"
        arm = f'[ "$co_got" != taken ] || co_token={mark}'
        text = f'co_got=$(co_under_mutex {words}) && printf %s "$co_got" && {{ {arm}; }}'
        call = self._ask(Request(text, tells=False), "take the lock")
        if call.code != 0:
            said = last_line(call)
            own = "Work as root (`become: sudo`), or let `state_dir` name a folder of this user."
            raise NotReady(
                f"{self.name}: {self.state_dir}: {said}", MAKE_ROOM if is_full(said) else own
            )
        current = _lease(call.out.decode())
        if current is None:
            self.token, self._ttl, self._holder = mark, ttl, holder
        return current

    def lock_renew(self) -> None:
        """Prolong the lease, also while a command runs; raises `Fenced` if it was lost."""
        self.arm(0)
        words = f"co_renew {self.token} {int(self._ttl)} {_line(self._holder)}"
        answer = self._beside(f"co_under_mutex {words}", "renew the lock")
        if answer == "lost":
            raise Fenced(f"{self.name}: the lock is no longer ours", SEE_LOCK)
        if answer != "renewed":
            raise NotReady(f"{self.name}: renew the lock: {answer or 'no answer'}")

    def lock_release(self) -> None:
        """Give the lease up and the fence with it; nothing happens if it was lost."""
        if self.token:
            self._beside(f"co_under_mutex co_release {self.token}", "release the lock")
            self._drop()

    def lock_show(self) -> Lease | None:
        """Return the lease somebody has, if it has not lapsed."""
        return _lease(self._beside("co_show", "look at the lock"))

    def arm(self, token: int) -> None:
        """Insist that a lease is held, so that the fence stands; raises `Fenced` if none is."""
        if not self.token:
            raise Fenced(f"{self.name}: no lock is held", SEE_LOCK)

    def leftover(self) -> Leftover | None:
        """Return a command of an earlier shell, or of one cut off, that still runs."""
        text = f"co_leftovers {' '.join(sorted(self.live))}"
        call = self._ask(Request(text, tells=False), "look for what still runs")
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

    def _drop(self) -> None:
        """Forget the lease. A shell that still insists on it is let go."""
        self.token = ""
        self.close()

    def _beside(self, words: str, doing: str) -> str:
        try:
            return self._open().aside(words, ASIDE_LIMIT)
        except Gone as fault:
            raise self.reach.gone(fault, doing) from fault


def _line(holder: str) -> str:
    return quote(" ".join(holder.split())[:200] or "unknown")


def _lease(answer: str) -> Lease | None:
    if not answer.startswith("held "):
        return None
    _, mark, left, holder = [*answer.split(" ", 3), ""][:4]
    return Lease(int(mark.partition(".")[0]), holder, float(left))


def _whole(line: str) -> bool:
    return line.startswith("{") and line.endswith("}")
