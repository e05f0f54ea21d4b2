"""A run from its plan to its end: forward hop by hop, or back; begun, resumed or taken over."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace

from changeover import __version__
from changeover.engine.absence import refuse_alone, told, waiting
from changeover.engine.attempt import Crew, pass_gate
from changeover.engine.broadcast import Broadcast
from changeover.engine.consent import agreed
from changeover.engine.drift import boundary_differences
from changeover.engine.hold import Hold, offering
from changeover.engine.journal import Follower, Journal
from changeover.engine.operator import Answer, Controls, Decision, Operator
from changeover.engine.order import UPGRADE
from changeover.engine.planner import request_of
from changeover.engine.prober import Prober
from changeover.engine.proof import prove
from changeover.engine.runner import GoBack, Runner, face
from changeover.engine.runs import refuse_open_run, refuse_overtaken
from changeover.engine.session import Session
from changeover.engine.undo import plan_undo
from changeover.errors import ActionFailed, ChangeoverError, NotReady
from changeover.model import events as ev
from changeover.model.codec import digest_of, from_json, to_json
from changeover.model.plan import Hop, Mode, Plan, PlannedStep
from changeover.model.state import UNDO_PREFIX, RunState, Stage, Status


class Undone(ChangeoverError):
    """A step failed and everything was taken back."""

    exit_code = 4


def new_run() -> str:
    """Name a run so that names sort by time."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    return f"{now}-{secrets.token_hex(2)}"


class Flow:
    """One run of an instance."""

    def __init__(
        self, session: Session, run: str, operator: Operator, followers: tuple[Follower, ...] = ()
    ) -> None:
        self.session, self.operator = session, operator
        self.controls = Controls(session.store, run)
        self.journal = Journal(session.store, run, followers)
        present = {name: session.hosts[name] for name in session.reached}
        self._broadcast = Broadcast(present, session.reached)
        self.journal.follow(self._broadcast)
        self.crew = Crew(
            session.hosts, session.action, self.journal, operator, session.masker, session.store,
            session.away,
        )  # fmt: skip

    @property
    def state(self) -> RunState:
        """Where the run stands."""
        return self.journal.state

    def begin(self, plan: Plan) -> None:
        """Carry out a plan; whatever moved since it was made stops the step it concerns."""
        with self.holding():
            refuse_open_run(self.session.store)
            self.session.keep_bundles(plan)
            self.journal.append(
                ev.RunStarted(
                    self._keep(plan), plan.procedure, plan.installed, plan.target, __version__,
                    self.operator.name,
                )
            )  # fmt: skip
            for name, reason in plan.waived.items():
                self.journal.append(ev.Waived(name, reason, self.operator.name))
            self._watched(lambda: self._forward(plan))

    def go_on(self, after: str = "") -> None:
        """Continue from wherever the journal ends, in the direction it was going."""
        self._continue(after)

    def _continue(self, after: str, *, force: bool = False, end_leftovers: bool = False) -> None:
        self._refuse_ended()
        self.session.restore_plan(self.plan())
        with self.holding(force=force, end_leftovers=end_leftovers):
            self._refuse_ended()
            self.journal.append(
                ev.Resumed(self.operator.name, __version__, after, tuple(sorted(self.crew.away)))
            )
            if self.state.undo:
                self._watched(self._back)
            else:
                self._watched(lambda: self._forward(self.plan()))

    def take_over(self, *, wait: bool, force: bool) -> None:
        """Continue a run of a lost machine in the direction it was going."""
        self._continue("takeover", force=force, end_leftovers=not wait)

    def go_back(self, reason: str) -> None:
        """Undo the run, whether it ended or not."""
        self.session.restore_plan(self.plan())
        with self.holding():
            self.refuse_undone()
            refuse_overtaken(self.session.store, self.state.run)
            if not self.state.undo:
                answer = Answer(Decision.UNDO, self.operator.name, reason)
                self._begin_undo(answer)
            self._watched(self._back)

    def _refuse_ended(self) -> None:
        if self.state.stage.ended:
            raise NotReady(
                f"run {self.state.run} is {self.state.stage}", "start another: changeover plan"
            )

    def refuse_undone(self) -> None:
        """Raise `NotReady` where everything was taken back already."""
        if self.state.stage is Stage.UNDONE:
            raise NotReady(f"run {self.state.run} was undone already", "changeover history")

    def plan(self) -> Plan:
        """Return the plan the run began with."""
        started = self.state.started
        if not started:
            raise NotReady(f"run {self.journal.run} never started", "changeover history")
        return self._load(started.plan)

    def executed(self) -> Plan:
        """Return the plan with every hop as it was planned at its boundary."""
        plan = self.plan()
        hops = [self._hop_begun(hop.version) or hop for hop in plan.hops]
        return replace(plan, hops=tuple(hops))

    def way_back(self) -> Plan:
        """Plan the undo of the run."""
        refuse_overtaken(self.session.store, self.state.run)
        self.session.restore_plan(self.plan())
        with offering(begun=True):
            return plan_undo(self.executed(), self.crew)

    def holding(
        self, *, force: bool = False, end_leftovers: bool = False
    ) -> AbstractContextManager[None]:
        """Hold the instance: its lock here and on every host, under a fresh token."""
        hold = Hold(self.session, self.journal, self._broadcast, self.operator.name)
        return hold.taken(force=force, end_leftovers=end_leftovers)

    def _watched(self, work: Callable[[], None]) -> None:
        endpoints, folder = self.session.instance.endpoints, self.session.instance.folder
        with ExitStack() as stack:
            stack.enter_context(Prober(endpoints, folder, self.journal.append))
            stack.enter_context(self.controls.listening())
            try:
                work()
            except GoBack as chosen:
                self._begin_undo(chosen.answer)
                self._back()
                raise Undone(
                    f"{chosen.cause.message}; everything was taken back",
                    "mend the cause and plan again: changeover plan",
                ) from chosen.cause

    def _forward(self, plan: Plan) -> None:
        rest: Sequence[PlannedStep] = ()
        for index, outline in enumerate(plan.hops):
            hop = self._hop_begun(outline.version) or self._boundary(plan, index)
            rest = self._run(hop.steps)
        if plan.procedure == UPGRADE and not plan.only:
            self._prove(plan.target, Mode.APPLY)
        self._stop_short(rest)
        self._end("done")

    def _run(self, steps: Sequence[PlannedStep]) -> Sequence[PlannedStep]:
        """Run what can be run now; return what waits for hosts that are left out."""
        self._refuse_alone(steps)
        Runner(self.crew, self.controls, self.session.instance.language).run(steps)
        return waiting(steps, self.crew.away, self.state)

    def _refuse_alone(self, steps: Sequence[PlannedStep]) -> None:
        if rest := waiting(steps, self.crew.away, self.state):
            refuse_alone(rest, self.executed(), self.crew.away)

    def _stop_short(self, rest: Sequence[PlannedStep], before: str = "") -> None:
        """Stop where something waits for hosts that are left out."""
        if rest or before:
            short = told(rest, self.crew.away, before)
            self.journal.append(ev.Paused(self.operator.name, short.message))
            raise short

    def _hop_begun(self, version: str) -> Hop | None:
        digest = self.state.hops.get(version)
        if not digest:
            return None
        return next(h for h in self._load(digest).hops if h.version == version)

    def _boundary(self, plan: Plan, index: int) -> Hop:
        """Plan a hop again now that the one before is there; a difference stops at a gate."""
        outline = plan.hops[index]
        if index and self.crew.away:
            self._stop_short((), before=outline.version)
        hop = self._replanned(plan, outline) if index else outline
        at_boundary = replace(plan, hops=(hop,))
        self.journal.append(ev.HopStarted(outline.version, self._keep(at_boundary)))
        return hop

    def _replanned(self, plan: Plan, outline: Hop) -> Hop:
        key = f"{outline.version}/boundary"
        release = self.session.release(outline.version)
        while True:
            try:
                hop = self.session.planner().hop(release, request_of(plan), first=True)
            except ActionFailed as error:
                self._fail(key, error, Mode.APPLY)
                if self.state.of(key) is Status.SKIPPED:
                    raise  # there is nothing to go on with
            else:
                self._mend(key)
                self._pass_boundary(key, outline, hop)
                return hop

    def _pass_boundary(self, key: str, outline: Hop, hop: Hop) -> None:
        said = boundary_differences(outline, hop)
        if said:
            gate = ev.GateReached(key, "boundary", "is not as planned: " + "; ".join(said))
            pass_gate(self.journal, self.operator, gate)

    def _begin_undo(self, answer: Answer) -> None:
        way = self.way_back()
        self._refuse_alone(way.steps)
        way = agreed(way, self.crew)
        self.journal.append(
            ev.UndoStarted(self._keep(way), answer.by, answer.reason, tuple(sorted(self.crew.away)))
        )

    def _back(self) -> None:
        undo = self.state.undo
        if not undo:
            raise NotReady("no undo was begun", "changeover undo")
        way = self._load(undo.plan)
        rest = self._run(way.steps)
        self._prove(way.target, Mode.UNDO)
        self._stop_short(rest)
        self._end("undone")
        self.session.retire(f"{self.journal.run}/")

    def _prove(self, version: str, mode: Mode) -> None:
        """See that the instance works; if it does not, that is decided like a step that failed."""
        key = f"{UNDO_PREFIX if mode is Mode.UNDO else ''}{version}/proof"
        while not self.state.of(key).settled:
            try:
                self._observe(version, mode)
            except ActionFailed as error:
                self._fail(key, error, mode)
            else:
                self._mend(key)
                return

    def _observe(self, version: str, mode: Mode) -> None:
        self.session.record_installed(version)
        for what in prove(self.session, version, self._must_answer(mode)):
            self.journal.append(ev.Proven(what))

    def _fail(self, key: str, error: ActionFailed, mode: Mode) -> None:
        error.hide(self.session.masker.text)
        self.journal.append(ev.StepFailed(key, error.message, error.remedy))
        face(self.crew, key, mode, error)

    def _mend(self, key: str) -> None:
        if self.state.of(key) is Status.FAILED:
            self.journal.append(ev.StepDone(key))

    def _must_answer(self, mode: Mode) -> tuple[str, ...]:
        before = self.plan().answering
        # A first installation brings the endpoints about, and its undo takes them away.
        first = mode is Mode.APPLY and not before
        return tuple(e.name for e in self.session.instance.endpoints) if first else before

    def _end(self, outcome: str) -> None:
        if self.state.stage is not Stage(outcome):
            self.journal.append(ev.RunEnded(outcome, self.operator.name))
        for key, took in self.state.seconds.items():
            step = key.rpartition("/")[2].partition("@")[0]
            self.session.store.save_duration(f"step {step}", took)

    def _keep(self, plan: Plan) -> str:
        body = to_json(plan)
        digest = digest_of(body)
        self.session.store.save_plan(digest, body)
        self._broadcast.keep_plan(digest, body)
        return digest

    def _load(self, digest: str) -> Plan:
        return from_json(Plan, self.session.store.plan(digest))
