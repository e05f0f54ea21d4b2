"""What an action is.

An action is a frozen dataclass: its fields are the parameters a release writes (a field's string
below it is its line in the manual), its methods are what the engine may ask of it, in this order:

    check   may this run here at all?          reads only
    plan    what would change now?             reads only; deterministic for one state of the host
    foresee what will the host look like then? writes to a shadow: later steps are planned on it
    apply   make the change                    the only method that writes
    verify  is the change really there?        reads only
    undo    put back what plan found before    optional, see `Reversible`

Rules. `plan` puts into `before` all that `undo` needs, as references. `apply` keeps what it is
about to overwrite (`host.keep(path)`) before it writes, and is safe to call again after a crash
in its middle: whatever must not happen twice goes through `host.once` / `host.do_once`, which
reattaches instead of repeating. `undo` gets the first start's `before`, is safe to repeat, and
works after a half-done apply. Nothing waits by sleeping where an outcome can be awaited.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.findings import Finding
from changeover.model.plan import Change


@dataclass(frozen=True)
class Action(ABC):
    """Something a release can ask for on one host."""

    name: ClassVar[str]
    """How releases call it: `<technology>.<verb>`, such as `systemd.restart`."""

    repeatable: ClassVar[bool] = True
    """Whether apply may run again after a crash. If not, resuming asks the operator."""

    refreshes: ClassVar[bool] = False
    """Whether it only makes a service read what others changed (restart, reload): an undo then
    applies it again after everything is restored, instead of undoing it in its place."""

    traceless: ClassVar[bool] = False
    """Of one that refreshes: whether `verify` cannot tell that it happened, so that it is applied
    again after a crash."""

    harmless: ClassVar[bool] = False
    """Whether it only looks, waits or tells: an undo has nothing to take back."""

    looks: ClassVar[bool] = False
    """Whether all it does is `plan`: a procedure of such steps shows its plan, and is no run."""

    writes: ClassVar[tuple[str, ...]] = ()
    """Kinds of things it writes that only a backup can bring back (`database`, `folder`); lint
    asks for a step that covers them."""

    covers: ClassVar[tuple[str, ...]] = ()
    """Kinds of things it backs up, the counterpart of `writes`."""

    supplied: ClassVar[Mapping[str, str]] = {}
    """Parameters a release need not write: templates that stand for them where it does not."""

    limit: ClassVar[float] = 600.0
    """Seconds it may take when the step does not say."""

    def check(self, host: Host) -> Iterable[Finding]:
        """Report what would stop or trouble this action on the host."""
        return ()

    @abstractmethod
    def plan(self, host: Host) -> Change:
        """Compare the host with what is wanted."""

    def foresee(self, shadow: Host, change: Change) -> None:
        """Lay what apply would write over a shadow of the host (files, links, folders)."""
        return

    @abstractmethod
    def apply(self, host: Host, change: Change) -> None:
        """Make the change. Must be safe to repeat unless `repeatable` is false."""

    def began(self, change: Change) -> bool:
        """Whether a refresh started what had never run: an undo then undoes it in its place."""
        return False

    def verify(self, host: Host, change: Change) -> None:
        """Raise `ActionFailed` unless the change holds. By default: planning finds nothing left."""
        left = self.plan(host)
        if left.needed:
            raise ActionFailed(f"{host.name}: still to do after {self.name}: {left.summary}")


@runtime_checkable
class Reversible(Protocol):
    """An action that can put back what it changed."""

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Say what undoing would do now. `question` names what it would lose, if anything."""

    def undo(self, host: Host, change: Change) -> None:
        """Restore `change.before`. Must be safe to repeat, and after a half-done apply."""
