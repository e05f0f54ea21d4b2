"""Every error raised on purpose, and the exit code the command ends with.

ChangeoverError            1
  InvalidInput             2   something people wrote is wrong: where, what, how to mend it
    InvalidRelease         2
    InvalidInstance        2
    NoRoute                2
  NotReady                 3   the environment does not allow it now
    PreflightFailed        3
    PlanStale              3
  ActionFailed             4   an action could not do, or could not prove, its work
    CommandFailed          4
    OutOfTime              4
  Unreachable              5   a host cannot be reached
  InDoubt                  6   a crash left something that cannot be known
  GateClosed               7   the run waits for an answer
  LockHeld                 8   somebody else runs
    Fenced                 8   this run lost the lock to somebody else
  NoWayBack                9   an undo is refused beyond a point of no return
  Tampered                10   the journal does not prove itself
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar


class ChangeoverError(Exception):
    """An expected failure: shown as `where: what: why` and a remedy, never as a traceback."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message, self.remedy = message, remedy

    def hide(self, mask: Callable[[str], str]) -> None:
        """Take the secrets out of what is shown."""
        self.message, self.remedy = mask(self.message), mask(self.remedy)
        self.args = (self.message,)


class InvalidInput(ChangeoverError):
    """Something people wrote is wrong."""

    exit_code = 2


class InvalidRelease(InvalidInput):
    """The bundle or its manifest is wrong."""


class InvalidInstance(InvalidInput):
    """The instance folder is wrong."""


class NoRoute(InvalidInput):
    """No chain of releases leads from the installed version to the target."""


class NotReady(ChangeoverError):
    """The environment does not allow it now."""

    exit_code = 3


class PreflightFailed(NotReady):
    """A check failed and was not waived."""


class PlanStale(NotReady):
    """The hosts moved since the plan was made."""


class ActionFailed(ChangeoverError):
    """An action could not do, or could not prove, its work."""

    exit_code = 4


class CommandFailed(ActionFailed):
    """A command on a host exited non-zero."""

    def __init__(self, host: str, command: str, code: int, stderr: str, remedy: str = "") -> None:
        last_line = stderr.strip().rpartition("\n")[2] or "no message"
        super().__init__(f"{host}: `{command}` exited {code}: {last_line}", remedy)
        self.host, self.command, self.code, self.stderr = host, command, code, stderr


class OutOfTime(ActionFailed):
    """A command ran longer, or was silent longer, than it may; it was ended."""


class Unreachable(ChangeoverError):
    """A host cannot be reached, or stopped answering: what it did last is unknown."""

    exit_code = 5


class InDoubt(ChangeoverError):
    """Something was started and its outcome cannot be learnt."""

    exit_code = 6


class GateClosed(ChangeoverError):
    """The run waits for an answer."""

    exit_code = 7


class LockHeld(ChangeoverError):
    """Somebody else runs on this instance."""

    exit_code = 8


class Fenced(LockHeld):
    """This run lost its lock to somebody else; nothing more was done."""


class NoWayBack(ChangeoverError):
    """An undo is refused beyond a point of no return."""

    exit_code = 9


class Tampered(ChangeoverError):
    """The journal does not prove itself."""

    exit_code = 10
