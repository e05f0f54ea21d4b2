"""The person at the terminal, as the engine knows them."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field

import click

from changeover.engine.operator import Answer, Decision, Operator, Unattended
from changeover.errors import ChangeoverError
from changeover.model.events import GateReached

_CHOICES = {
    "r": Decision.RETRY,
    "s": Decision.SKIP,
    "u": Decision.UNDO,
    "a": Decision.ABORT,
    "q": Decision.STOP,
}


@dataclass
class Person:
    """Asks on the terminal, one question at a time."""

    name: str
    beforehand: Unattended
    asks_failures: bool = True
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def opens(self, gate: GateReached) -> str | None:
        """Show what is at stake and ask for a yes."""
        given = self.beforehand.opens(gate)
        if given is not None:
            return given
        with self._one_at_a_time:
            if gate.kind == "loss":
                said = f"{gate.question}\nType yes to accept the loss"
                typed = click.prompt(said, default="no", err=True)
                return "accepted the loss" if typed.strip().lower() == "yes" else None
            agreed = click.confirm(f"{gate.key}: {gate.question}\nGo on?", default=False, err=True)
            return "said yes at the terminal" if agreed else None

    def settles(self, key: str, doubt: str) -> bool | None:
        """Ask what really happened."""
        with self._one_at_a_time:
            said = click.prompt(
                f"{doubt}\nDid it happen? (y)es, (n)o, (d)on't know",
                type=click.Choice(["y", "n", "d"]),
                default="d",
                err=True,
            )
        return {"y": True, "n": False}.get(said)

    def decides(self, key: str, error: ChangeoverError) -> Answer:
        """Ask what to do about a step that failed."""
        if not self.asks_failures:
            return self.beforehand.decides(key, error)
        with self._one_at_a_time:
            if error.remedy:
                click.echo(f"  → {error.remedy}", err=True)
            said = click.prompt(
                f"{key} failed: (r)etry, (s)kip, (u)ndo all, (a)bort, (q)uit to resume later",
                type=click.Choice(list(_CHOICES)),
                default="q",
                show_choices=False,
                err=True,
            )
            reason = (
                click.prompt("Why may it be skipped?", err=True)
                if said == "s"
                else "chose so when asked"
            )
        return Answer(_CHOICES[said], self.name, reason)


def operator_for(name: str, on_failure: str | None, approved: tuple[str, ...]) -> Operator:
    """Return who answers: the person where there is a terminal, the options otherwise."""
    decision = Decision(on_failure) if on_failure else Decision.STOP
    unattended = Unattended(name, decision, frozenset(approved))
    if sys.stdin.isatty() and sys.stderr.isatty():
        return Person(name, unattended, asks_failures=on_failure is None)
    return unattended
