"""From the steps people write to the steps that run: procedures put in place, order hints kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from changeover.model.problem import Problem, suggestion
from changeover.model.release import Phase, Step, Target, Where
from changeover.model.text import Text
from changeover.sources.manifest import ProcedureWritten, StepWritten, TargetWritten
from changeover.sources.when import When
from changeover.sources.yamltree import Place, Tree

DEEPEST = 20
"""Procedures inside procedures."""

MOST_STEPS = 2_000

_RANK = {phase: rank for rank, phase in enumerate(Phase)}


@dataclass(frozen=True)
class PlacedStep:
    """A step with the place it was written at."""

    step: Step
    tree: Tree
    place: Place
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Procedure:
    """A procedure with the place it was written at."""

    written: ProcedureWritten
    tree: Tree
    place: Place


@dataclass(frozen=True)
class _Around:
    """What the inclusion of a procedure gives to the steps in it."""

    prefix: str = ""
    params: tuple[Mapping[str, Any], ...] = ()
    phase: Phase | None = None
    on: TargetWritten | None = None
    when: tuple[dict[str, Any], ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    path: tuple[str, ...] = ()


@dataclass
class Expansion:
    """Puts the steps of procedures where `run:` names them; collects what is wrong."""

    procedures: Mapping[str, Procedure]
    problems: list[Problem] = field(default_factory=list)
    _count: int = 0

    def steps(self, written: Sequence[StepWritten], tree: Tree, place: Place) -> list[PlacedStep]:
        """Return the steps of a list, in the order they run."""
        self._count = 0
        found = list(self._steps(written, tree, place, _Around()))
        self._check_hints(found)
        return self._ordered(found)

    def procedure(self, name: str) -> list[PlacedStep]:
        """Return the steps of a procedure that runs alone, with its parameters' defaults."""
        procedure = self.procedures[name]
        self._count = 0
        around = _Around(params=(_defaults(procedure.written),), path=(name,))
        place = _steps_place(procedure)
        found = list(self._steps(procedure.written.steps, procedure.tree, place, around))
        return self._ordered(found)

    def _steps(
        self, written: Sequence[StepWritten], tree: Tree, place: Place, around: _Around
    ) -> Iterator[PlacedStep]:
        for position, step in enumerate(written):
            at = (*place, position)
            self._count += 1
            if self._count > MOST_STEPS:
                self._say("more than 2000 steps", tree, at, "write fewer")
                return
            if bool(step.use) == bool(step.run):
                remedy = "name an action with `use` or a procedure with `run`"
                self._say("a step has either `use` or `run`", tree, at, remedy)
            elif step.use and not step.id:
                self._say("the step has no `id`", tree, at, "name it: the journal needs it")
            elif step.use:
                yield PlacedStep(
                    made_step(step, tree.where(at), around), tree, at,
                    (*step.before_step, *around.before), (*step.after_step, *around.after),
                )  # fmt: skip
            else:
                yield from self._included(step, tree, at, around)

    def _included(
        self, step: StepWritten, tree: Tree, at: Place, around: _Around
    ) -> Iterator[PlacedStep]:
        name = step.run or ""
        procedure = self.procedures.get(name)
        if procedure is None:
            remedy = suggestion(name, self.procedures) or "define it under `procedures:`"
            self._say(f"no procedure is called `{name}`", tree, (*at, "run"), remedy)
            return
        if name in around.path or len(around.path) >= DEEPEST:
            way = " -> ".join((*around.path, name))
            self._say(f"procedures run each other for ever: {way}", tree, (*at, "run"), "cut it")
            return
        self._refuse_useless(step, tree, at)
        params = self._given(step, procedure, tree, at)
        inner = _inside(step, around, params, name)
        steps, place = procedure.written.steps, _steps_place(procedure)
        yield from self._steps(steps, procedure.tree, place, inner)

    def _given(
        self, step: StepWritten, procedure: Procedure, tree: Tree, at: Place
    ) -> Mapping[str, Any]:
        known = procedure.written.params
        for name in step.with_:
            if name not in known:
                remedy = suggestion(name, known) or "it has none"
                message = f"procedure {step.run} has no parameter `{name}`"
                self.problems.append(Problem(message, tree.where((*at, "with", name)), remedy))
        for name, param in known.items():
            if param.required and name not in step.with_:
                message = f"procedure {step.run} needs the parameter `{name}`"
                self._say(message, tree, at, f"write `with: {{{name}: ...}}`")
        return _defaults(procedure.written) | step.with_

    def _refuse_useless(self, step: StepWritten, tree: Tree, at: Place) -> None:
        useful = {"id", "run", "with_", "phase", "on", "when", "before_step", "after_step"}
        for name in sorted(step.model_fields_set - useful):
            message = f"`{name}` means nothing beside `run`"
            self._say(message, tree, (*at, name), "write it in the steps of the procedure")

    def _check_hints(self, steps: list[PlacedStep]) -> None:
        phases = {s.step.id: s.step.phase for s in steps}
        for placed in steps:
            own = _RANK[placed.step.phase]
            for name in (*placed.before, *placed.after):
                hint = "before_step" if name in placed.before else "after_step"
                if name not in phases:
                    message = f"{hint}: no step is called `{name}`"
                    self._say(message, placed.tree, placed.place, suggestion(name, phases))
                elif (own > _RANK[phases[name]]) == (name in placed.before) and (
                    own != _RANK[phases[name]]
                ):
                    message = f"{hint}: {name} is in phase {phases[name]}, this step in "
                    message += str(placed.step.phase)
                    self._say(message, placed.tree, placed.place, "change one of the phases")

    def _ordered(self, steps: list[PlacedStep]) -> list[PlacedStep]:
        """Move steps to where their hints want them, otherwise keep the written order."""
        wrong = _first_out_of_order(steps)
        for _ in range(len(steps)):
            if wrong is None:
                return steps
            moved, anchor, offset = wrong
            steps.remove(moved)
            steps.insert(steps.index(anchor) + offset, moved)
            wrong = _first_out_of_order(steps)
        if wrong is not None:
            moved = wrong[0]
            message = f"step {moved.step.id} can never be where it wants to be, {_wish(moved)}"
            self._say(message, moved.tree, moved.place, "order hints contradict: remove one")
        return steps

    def _say(self, message: str, tree: Tree, place: Place, remedy: str) -> None:
        self.problems.append(Problem(message, tree.where(place), remedy))


def made_step(step: StepWritten, where: Where, around: _Around | None = None) -> Step:
    """Make the value the engine works with."""
    given = around or _Around()
    whens = (*given.when, *((condition(step.when),) if step.when else ()))
    return Step(
        id=f"{given.prefix}{step.id}",
        use=step.use or "",
        with_=step.with_,
        params=given.params,
        phase=phase_of(step) or given.phase or Phase.CHANGE,
        on=target(step.on or given.on),
        when=whens[0] if len(whens) == 1 else {"all": list(whens)} if whens else {},
        title=Text(step.title),
        note=Text(step.note),
        approval=Text(step.approval),
        retries=step.retries,
        timeout=step.timeout,
        silence=step.silence,
        covered_by=tuple(step.covered_by),
        undo=step.undo,
        where=where,
    )


def phase_of(step: StepWritten) -> Phase | None:
    """Return the phase a step says it runs in."""
    return Phase(step.phase) if step.phase else None


def condition(written: When | None) -> dict[str, Any]:
    """Return a condition as plain data, lists where several are possible."""
    return written.model_dump(by_alias=True, exclude_unset=True) if written else {}


def target(written: TargetWritten | None) -> Target:
    """Return which hosts are meant."""
    if written is None:
        return Target()
    return Target(written.host or written.role or "all", written.once, written.batch)


def _inside(step: StepWritten, around: _Around, params: Mapping[str, Any], name: str) -> _Around:
    return _Around(
        prefix=f"{around.prefix}{step.id}." if step.id else around.prefix,
        params=(*around.params, params),
        phase=phase_of(step) or around.phase,
        on=step.on or around.on,
        when=(*around.when, *((condition(step.when),) if step.when else ())),
        before=(*step.before_step, *around.before),
        after=(*step.after_step, *around.after),
        path=(*around.path, name),
    )


def _defaults(procedure: ProcedureWritten) -> dict[str, Any]:
    return {n: p.default for n, p in procedure.params.items() if not p.required}


def _steps_place(procedure: Procedure) -> Place:
    at = procedure.tree.value
    for word in procedure.place:
        at = at[word]
    return procedure.place if isinstance(at, list) else (*procedure.place, "steps")


def _first_out_of_order(steps: list[PlacedStep]) -> tuple[PlacedStep, PlacedStep, int] | None:
    at = {s.step.id: i for i, s in enumerate(steps)}
    for position, placed in enumerate(steps):
        wanted_before = [at[name] for name in placed.before if name in at]
        if any(other < position for other in wanted_before):
            return placed, steps[min(wanted_before)], 0
        wanted_after = [at[name] for name in placed.after if name in at]
        if any(other > position for other in wanted_after):
            return placed, steps[max(wanted_after)], 1
    return None


def _wish(placed: PlacedStep) -> str:
    wishes = [f"before {n}" for n in placed.before] + [f"after {n}" for n in placed.after]
    return " and ".join(wishes)
