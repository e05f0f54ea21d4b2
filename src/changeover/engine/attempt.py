"""Carry out one step on one host, so that dying anywhere in it is safe."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from changeover.actions.base import Action, Reversible
from changeover.engine.drift import differences
from changeover.engine.journal import Journal
from changeover.engine.operator import Operator
from changeover.engine.planner import masked
from changeover.engine.store import Store
from changeover.errors import (
    ActionFailed,
    ChangeoverError,
    Fenced,
    GateClosed,
    InDoubt,
    Unreachable,
)
from changeover.hosts.command import Command, Completed
from changeover.hosts.host import Host
from changeover.model import events as ev
from changeover.model.plan import Change, Mode, PlannedStep
from changeover.model.secret import Masker
from changeover.model.state import Status

RECONNECT_AFTER = (0.2, 1.0, 3.0, 8.0)
"""Seconds before each new try to reach a host that went away in the middle of a step."""


@dataclass(frozen=True)
class Crew:
    """All that carrying out a step needs."""

    hosts: Mapping[str, Host]
    action: Callable[[PlannedStep, Host], Action]
    journal: Journal
    operator: Operator
    masker: Masker
    store: Store
    away: frozenset[str] = frozenset()
    """Hosts that are left out: their steps wait."""


class Attempt:
    """One try at one step on one host."""

    def __init__(self, planned: PlannedStep, crew: Crew) -> None:
        self.planned, self.key = planned, planned.key
        self._journal, self._operator = crew.journal, crew.operator
        self._masker = crew.masker
        state = crew.journal.state
        self._status = state.of(self.key)
        self._first = state.changes.get(self.key)
        again = 0 if self._status is Status.STARTED else 1
        self._number = max(1, state.attempts.get(self.key, 0) + again)
        host = crew.hosts[planned.host]
        self._said: list[str] = []
        self.action = crew.action(planned, host)
        self._bare = host
        self._host = self._within_limits()
        self._store = crew.store
        self._original = state.changes.get(self._undone_key()) if self._undoing else None

    def _within_limits(self) -> Host:
        step = self.planned.step
        return self._bare.acting_for(
            f"{self._journal.run}/{self.key}/{self._number}",
            limit=step.timeout or self.action.limit,
            silence=step.silence,
            heard=self._hear,
        )

    @property
    def _undoing(self) -> bool:
        return self.planned.mode is Mode.UNDO

    def _undone_key(self) -> str:
        return replace(self.planned, mode=Mode.APPLY).key

    def perform(self) -> None:
        """Do the step and prove it, or say why not; every outcome is journaled."""
        started = time.monotonic()
        try:
            if self._reaching(self._perform):
                self._journal.append(ev.StepDone(self.key, round(time.monotonic() - started, 3)))
        except ChangeoverError as error:
            error.hide(self._masker.text)
            self._record(error)
            raise
        finally:
            self._keep_output()

    def _record(self, error: ChangeoverError) -> None:
        if isinstance(error, InDoubt):
            self._journal.append(ev.StepInDoubt(self.key, error.message))
        elif not isinstance(error, Unreachable | GateClosed | Fenced):
            # After `Unreachable` what was started is unknown: the step stays started.
            self._journal.append(ev.StepFailed(self.key, error.message, error.remedy))

    def _keep_output(self) -> None:
        if self._said:
            said = self._masker.text("\n".join(self._said))
            self._store.save_output(self._journal.run, self.key, self._number, said)

    def _hear(self, command: Command, done: Completed) -> None:
        code = "" if done.ok else f"[exited {done.code}]"
        self._said += [f"$ {command}", *filter(None, (done.stdout, done.stderr, code))]

    def _reaching(self, work: Callable[[], bool]) -> bool:
        """Try again where the host went away; what runs there once is found again."""
        for pause in RECONNECT_AFTER:
            try:
                return work()
            except Unreachable:
                state = self._journal.state
                self._status, self._first = state.of(self.key), state.changes.get(self.key)
                time.sleep(pause)
                self._await_leftover()
        return work()

    def _await_leftover(self) -> None:
        """Let what the cut connection left running come to its end, before looking at its work."""
        transport = self._host.transport
        with contextlib.suppress(Unreachable):
            found = transport.leftover()
            if found and not transport.wait_leftover(self._host.limit):
                raise InDoubt(
                    f"{self.key}: {found} was cut off and still runs on {self._host.name}",
                    "wait for it or end it, then: changeover resume",
                )

    def _perform(self) -> bool:
        if self._status is Status.STARTED and self._first:
            return self._go_on(self._first)
        change = self._look()
        while not self._first and self._pass_gates(change):
            # Whoever answered took time: the host is looked at again, and the limit begins anew.
            self._host = self._within_limits()
            change = self._look()
        if not change.needed and not self._first:
            self._journal.append(ev.StepSkipped(self.key, self._masker.text(change.summary)))
            return False
        self._start(change)
        return self._apply(change)

    def _go_on(self, first: Change) -> bool:
        """Continue a step that a crash interrupted."""
        provable = self.action.refreshes and not self.action.traceless
        if provable and not self._undoing and self._holds(first):
            return True
        if not self.action.repeatable and not self._undoing:
            raise InDoubt(
                f"{self.key}: was interrupted and must not be repeated blindly",
                f"look what is there, then: changeover settle {self.key} --happened or --did-not",
            )
        change = self._look()
        # "Nothing left" may be half of the truth: applying again is safe, and reattaches.
        effect = first.effect if first.needed and not change.needed else change.effect
        return self._apply(replace(change, effect=effect))

    def _holds(self, change: Change) -> bool:
        try:
            self.action.verify(self._host, change)
        except ActionFailed:
            return False
        return True

    def _look(self) -> Change:
        change = self._plan()
        # Undo needs what the first start saw, not what a half-done one left.
        return replace(change, before=self._first.before) if self._first else change

    def _plan(self) -> Change:
        if not self._undoing:
            return self.action.plan(self._host)
        return self._reversible().plan_undo(self._host, self._must_have_original())

    def _start(self, change: Change) -> None:
        slim = replace(masked(change, self._masker), diff="", facts={}, commands=())
        self._journal.append(ev.StepStarted(self.key, self._number, slim))

    def _apply(self, change: Change) -> bool:
        if self._undoing:
            self._undo()
            return True
        if change.needed:
            self.action.apply(self._host, change)
        self.action.verify(self._host, change)
        return True

    def _undo(self) -> None:
        original = self._must_have_original()
        action = self._reversible()
        action.undo(self._host, original)
        left = action.plan_undo(self._host, original)
        if left.needed:
            raise ActionFailed(f"{self.key}: still not undone: {left.summary}")

    def _reversible(self) -> Reversible:
        if not isinstance(self.action, Reversible):
            raise ActionFailed(f"{self.key}: {self.action.name} cannot be undone")
        return self.action

    def _must_have_original(self) -> Change:
        if not self._original:
            raise ActionFailed(f"{self.key}: nothing is known of what it changed")
        return self._original

    def _pass_gates(self, change: Change) -> bool:
        """Return whether anybody had to be asked."""
        asked = False
        found = masked(change, self._masker)
        if found.question:
            asked = pass_gate(self._journal, self._operator, loss_gate(self.key, found))
        if self.planned.mode is Mode.APPLY and (moved := self._drift(found)):
            said = "the host changed since the plan: " + "; ".join(moved)
            drift = ev.GateReached(self.key, "drift", said)
            asked = pass_gate(self._journal, self._operator, drift) or asked
        return asked

    def _drift(self, found: Change) -> list[str]:
        return differences(self.planned.change, found)


def loss_gate(key: str, change: Change) -> ev.GateReached:
    """Return the gate before a change that loses something; the change is masked already."""
    return ev.GateReached(key, "loss", change.question, change.losses)


def pass_gate(journal: Journal, operator: Operator, gate: ev.GateReached) -> bool:
    """Ask for a yes, once for the same question; raise `GateClosed` where nobody gives it.

    Return whether it was asked now.
    """
    if journal.state.answered(gate):
        return False
    journal.append(gate)
    reason = operator.opens(gate)
    if reason is None:
        raise GateClosed(
            f"{gate.key}: {gate.question}",
            f"to go on: changeover approve {gate.key} && changeover resume",
        )
    journal.append(ev.GateOpened(gate.key, gate.kind, operator.name, reason))
    return True
