"""Carry out planned steps, in order, so that stopping anywhere is safe."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from changeover.engine.attempt import Attempt, Crew, pass_gate
from changeover.engine.operator import Answer, Controls, Decision, Stopped
from changeover.engine.order import batches, groups
from changeover.errors import ChangeoverError, Fenced, GateClosed, InDoubt
from changeover.model import events as ev
from changeover.model.plan import Mode, PlannedStep
from changeover.model.state import Status

HOSTS_AT_ONCE = 32

Failures = list[tuple[PlannedStep, ChangeoverError]]


class GoBack(Exception):
    """A step failed and the operator chose the way back."""

    def __init__(self, answer: Answer, cause: ChangeoverError) -> None:
        super().__init__(answer.reason)
        self.answer, self.cause = answer, cause


@dataclass(frozen=True)
class Runner:
    """Runs or resumes a sequence of steps. Holds no state: the journal does."""

    crew: Crew
    controls: Controls
    language: str = "en"

    def run(self, steps: Sequence[PlannedStep]) -> None:
        """Go on from wherever the journal ends, to the end of the steps.

        Raise `GateClosed`, `Stopped`, `GoBack`, or the error of the step that failed.
        """
        for group in groups(steps):
            if self._open(group):
                self._heed()
                self._run_group(group)

    def _open(self, group: list[PlannedStep]) -> list[PlannedStep]:
        state, away = self.crew.journal.state, self.crew.away
        return [s for s in group if s.host not in away and not state.of(s.key).settled]

    def _run_group(self, group: list[PlannedStep]) -> None:
        self._pass_approval(group)
        for number, batch in enumerate(batches(group)):
            if number and self._open(batch):
                self._heed()
            tries = 1 + batch[0].step.retries
            while open_steps := self._open(batch):
                failures = self._attempt_all(open_steps)
                tries -= 1
                if failures and (tries < 1 or not _worth_retrying(failures)):
                    self._face(failures)
                elif failures:
                    self._heed()

    def _pass_approval(self, group: list[PlannedStep]) -> None:
        question = group[0].step.approval.to(self.language)
        if not question or group[0].mode is not Mode.APPLY:
            return
        closed: GateClosed | None = None
        for step in self._open(group):
            gate = ev.GateReached(step.key, "approval", question)
            try:
                pass_gate(self.crew.journal, self.crew.operator, gate)
            except GateClosed as error:
                # Every host's question is asked before the run stops: one resume, not one a host.
                closed = closed or error
        if closed:
            raise closed

    def _attempt_all(self, steps: list[PlannedStep]) -> Failures:
        if len(steps) == 1:
            return self._attempt(steps[0])
        with ThreadPoolExecutor(min(len(steps), HOSTS_AT_ONCE)) as pool:
            return [failure for found in pool.map(self._attempt, steps) for failure in found]

    def _attempt(self, step: PlannedStep) -> Failures:
        try:
            Attempt(step, self.crew).perform()
        except ChangeoverError as error:
            return [(step, error)]
        return []

    def _face(self, failures: Failures) -> None:
        """Do as the operator says about steps that failed; return only to try them again."""
        for step, error in failures:
            if isinstance(error, GateClosed | Fenced):
                raise error
            if isinstance(error, InDoubt) and self._settle(step, error):
                continue
            face(self.crew, step.key, step.mode, error)

    def _settle(self, step: PlannedStep, error: InDoubt) -> bool:
        happened = self.crew.operator.settles(step.key, str(error))
        if happened is None:
            return False
        by = self.crew.operator.name
        self.crew.journal.append(ev.DoubtSettled(step.key, happened, by, "answered when asked"))
        return True

    def _heed(self) -> None:
        """Stop between two steps where somebody asked for it."""
        request = self.controls.heed()
        if not request:
            return
        kind, body = request
        by, reason = body.get("by", ""), body.get("reason", "")
        if kind == "abort":
            self.crew.journal.append(ev.RunEnded("aborted", by, reason))
            raise Stopped(f"aborted by {by}", "to go back: changeover undo")
        self.crew.journal.append(ev.Paused(by, reason))
        raise Stopped(f"paused by {by}", "to go on: changeover resume; to go back: changeover undo")


def face(crew: Crew, key: str, mode: Mode, error: ChangeoverError) -> None:
    """Do as the operator says about what failed; return only to try it again or to pass over it."""
    journal, answer = crew.journal, crew.operator.decides(key, error)
    match answer.decision:
        case Decision.RETRY if journal.state.of(key) is not Status.IN_DOUBT:
            return
        case Decision.SKIP:
            journal.append(ev.StepSkipped(key, answer.reason, answer.by))
        case Decision.UNDO if mode is Mode.APPLY:
            raise GoBack(answer, error)
        case Decision.ABORT:
            journal.append(ev.RunEnded("aborted", answer.by, answer.reason))
            raise error
        case _:
            raise error


def _worth_retrying(failures: Failures) -> bool:
    return not any(isinstance(error, GateClosed | Fenced | InDoubt) for _, error in failures)
