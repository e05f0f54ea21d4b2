"""Who may change a host, and what is told to it: the part of a transport only the engine uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Lease:
    """A lock on a host, as the host has it."""

    token: int
    holder: str
    left: float
    """Seconds until it lapses unless it is renewed."""


@dataclass(frozen=True)
class Leftover:
    """A command an earlier shell of this tool started, and which still runs."""

    shell: str
    """Name of that shell."""
    pid: int
    born: str
    """Start time in clock ticks: with `pid` it names one process for good."""
    what: str
    """The command, or what the shell itself does."""

    def __str__(self) -> str:
        return f"{self.what} (process {self.pid})"


class Tenure(Protocol):
    """The lease with its fence, the journal on the host, and what still runs there."""

    def lock_take(
        self, token: int, holder: str, ttl: float, *, force: bool = False
    ) -> Lease | None:
        """Take the lease for so many seconds, or return who has it.

        From then on whatever is sent proves in the same request that the lease is still this one;
        if not, nothing is done and `Fenced` is raised. A lapsed lease is free. Raises `NotReady`
        where the state folder cannot be used.
        """

    def lock_renew(self) -> None:
        """Prolong the lease, also while a command runs; raises `Fenced` if it was lost."""

    def lock_release(self) -> None:
        """Give the lease up and the fence with it; nothing happens if it was lost."""

    def lock_show(self) -> Lease | None:
        """Return the lease somebody has, if it has not lapsed."""

    def arm(self, token: int) -> None:
        """Insist that a lease is held, so that the fence stands; raises `Fenced` if none is."""

    def leftover(self) -> Leftover | None:
        """Return a command of an earlier shell, or of one cut off, that still runs.

        Ask after taking the lease, and after an `Unreachable`. Only shells with a lease record
        what they do; a daemon a command left behind does not count; detached commands are not
        left over, they are found again by their key (`running`).
        """

    def wait_leftover(self, timeout: float) -> bool:
        """Wait until nothing is left over; return whether that came true in time."""

    def end_leftover(self) -> bool:
        """End what is left over, asked first, then without asking; return whether it is gone."""

    def running(self, prefix: str = "") -> tuple[str, ...]:
        """Return the keys of detached commands that run at this moment."""

    def cancel(self, key: str) -> None:
        """End the detached command of a key: asked first, then without asking."""

    def retire(self, prefix: str) -> None:
        """Forget the detached commands that ended and whose key begins so."""

    def flush(self) -> None:
        """Write the announced lines to the host's journal now."""

    def journal_lines(self) -> list[str]:
        """Return the lines of the host's journal, each once, in order; torn ones are dropped."""

    def close(self) -> None:
        """Let the host go. It is reached again when it is next asked something."""
