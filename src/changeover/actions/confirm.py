"""Asking a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from changeover.actions.base import Action
from changeover.hosts.host import Host
from changeover.model.plan import Change, Effect


@dataclass(frozen=True)
class Confirm(Action):
    """Stop until somebody has said yes to a question.

    For what no program can see: a ticket is open, a telephone call was made. The run waits at a
    gate, and the answer is in the journal with the name of who gave it.
    """

    name: ClassVar[str] = "confirm"
    harmless: ClassVar[bool] = True

    question: str
    """What to say yes to."""

    def plan(self, host: Host) -> Change:
        """Ask it, every time."""
        return Change(Effect.RUN, f"ask: {self.question}", question=self.question)

    def apply(self, host: Host, change: Change) -> None:
        """Do nothing: being here means that somebody said yes."""

    def verify(self, host: Host, change: Change) -> None:
        """Prove nothing: the answer is in the journal."""
