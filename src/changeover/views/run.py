"""Runs as lines for people: as they happen, and afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from changeover.model import events as ev
from changeover.model.plan import Plan
from changeover.model.state import UNDO_PREFIX, RunState, Stage, Status, step_id
from changeover.views.phrasebook import said
from changeover.views.style import (
    WIDTH,
    bad,
    careful,
    clipped,
    faint,
    good,
    seconds,
    strong,
    version,
    wrapped,
)

_PAINT = {
    Status.DONE: good,
    Status.FAILED: bad,
    Status.IN_DOUBT: bad,
    Status.STARTED: careful,
    Status.UNDONE: careful,
}
_CLOCK, _NAME = 11, 24
"""Columns of the time with its mark, and of a step's name, where it is not longer."""


def entry_line(entry: ev.Entry) -> str:
    """Render one entry of a journal; empty for those that only machines need."""
    render = _RENDER.get(type(entry.event))
    if not render:
        return ""
    line = render(entry.event)
    return f"{faint(entry.at[11:19])} {line}" if line else ""


def run_lines(plan: Plan, state: RunState) -> Iterator[str]:
    """Render where every step of a run stands."""
    yield strong(f"run {state.run}: {plan.product} {_way(plan)}") + (
        f" ({plan.procedure}), {said(stage_text(state))}"
    )
    column = max((len(step.key) for step in plan.steps), default=0)
    for step in plan.steps:
        status = state.of(step.key)
        paint = _PAINT.get(status, faint)
        took = state.seconds.get(step.key)
        name = step.key if took is None else f"{step.key:<{column}}{faint(f'{seconds(took):>8}')}"
        yield f"  {paint(f'{said(status):<9}')} {name}"
        yield from _reason_lines(step.key, state)
    yield from _besides(plan, state)
    if state.waiting and state.stage is Stage.WAITING:
        yield careful(said(f"  waits for an answer: {state.waiting.question}"))
    yield from watched_lines(state.watched)


def _reason_lines(key: str, state: RunState) -> Iterator[str]:
    if state.of(key) in (Status.FAILED, Status.IN_DOUBT):
        reason = state.reasons.get(key, "")
        yield from (bad(" " * 12 + line) for line in wrapped(said(reason), 12))


def _besides(plan: Plan, state: RunState) -> Iterator[str]:
    """Yield what is no step of the plan and failed: a boundary, the proof at the end."""
    planned = {step.key for step in plan.steps}
    back = any(key.startswith(UNDO_PREFIX) for key in planned)
    for key, status in state.status.items():
        named = key.rpartition("/")[2] in ("boundary", "proof")
        if named and status is Status.FAILED and key.startswith(UNDO_PREFIX) == back:
            yield f"  {bad(f'{said(status):<9}')} {key}"
            yield from _reason_lines(key, state)


def stage_text(state: RunState) -> str:
    """Say where a run stands in one word or two."""
    return {
        Stage.OPEN: "interrupted or running",
        Stage.UNDOING: "undoing",
    }.get(state.stage, str(state.stage))


def history_lines(runs: Iterable[RunState]) -> Iterator[str]:
    """Render one line a run, the newest last."""
    known = list(runs)
    width = max((len(state.run) for state in known), default=0)
    width = max(width, len("20260101-000000-0000"))
    yield strong(f"{'RUN':<{width}} {'STARTED (UTC)':<20} {'WHAT':<40} STATE")
    for state in known:
        started = state.started
        if not started:
            continue
        what = f"{_way(started)} ({started.procedure})"
        when, stands = state.started_at[:19], said(stage_text(state))
        yield f"{state.run:<{width}} {when:<20} {what:<40} {stands}"


def watched_lines(watched: Sequence[ev.Watched]) -> Iterator[str]:
    """Render what users saw, added up over all processes of the run."""
    for name in dict.fromkeys(w.endpoint for w in watched):
        same = [w for w in watched if w.endpoint == name]
        requests, failed = sum(w.requests for w in same), sum(w.failed for w in same)
        down = sum(w.downtime for w in same)
        seen = said(f"{name}: {requests} requests, {failed} failed, down for {seconds(down)}")
        yield "  " + (careful(seen) if failed else good(seen))


def _way(moved: Plan | ev.RunStarted) -> str:
    return f"{version(moved.installed)} → {version(moved.target)}"


def _short(what: str) -> str:
    """Shorten the commit at the end of `installed: ...`."""
    head, space, last = what.rpartition(" ")
    return f"{head}{space}{version(last)}"


def _step_started(event: ev.StepStarted) -> str:
    again = f" (try {event.attempt})" if event.attempt > 1 else ""
    name = f"{event.key}{again}"
    summary = clipped(said(event.change.summary), WIDTH - _CLOCK - max(len(name), _NAME) - 2)
    return f"{careful('▶')} {name:<{_NAME}}  {faint(summary)}"


def _step_done(event: ev.StepDone) -> str:
    return f"{good('✔')} {event.key:<{_NAME}}  {faint(seconds(event.seconds))}"


def _step_skipped(event: ev.StepSkipped) -> str:
    who = f"passed over by {event.by}: " if event.by else ""
    return faint(f"· {event.key:<{_NAME}}  {said(who + event.reason)}")


def _step_failed(event: ev.StepFailed) -> str:
    first, *more = wrapped(f"✘ {event.key}: {said(event.reason)}", _CLOCK)
    below = [bad(" " * _CLOCK + line) for line in more]
    return "\n".join([bad(first), *below, *_remedy(event.remedy, _CLOCK)])


def _remedy(remedy: str, indent: int) -> Iterator[str]:
    """Yield a remedy under its error; its further lines, such as a log, stand below its first."""
    if remedy:
        first, *more = said(remedy).strip().splitlines()
        yield f"{' ' * indent}→ {first}"
        yield from (faint(f"{' ' * indent}  {line}") for line in more)


def _gate(event: ev.GateReached) -> str:
    return careful(f"? {event.key}: {said(event.question)}")


def _doubt_settled(event: ev.DoubtSettled) -> str:
    word = "happened" if event.happened else "did not happen"
    return f"  {event.key}: {word}, says {event.by}: {event.reason}"


def _without(event: ev.Resumed | ev.UndoStarted) -> str:
    return f", without {', '.join(event.without)}" if event.without else ""


def _ended(event: ev.RunEnded) -> str:
    paint = good if event.outcome == "done" else careful
    return paint(f"■ {said(event.outcome)}") + (f": {said(event.reason)}" if event.reason else "")


_RENDER: dict[type[ev.Event], Callable[[Any], str]] = {
    ev.RunStarted: lambda e: strong(f"{e.procedure}: {_way(e)}"),
    ev.HopStarted: lambda e: strong(said(f"release {e.version}")),
    ev.StepStarted: _step_started,
    ev.StepDone: _step_done,
    ev.StepSkipped: _step_skipped,
    ev.StepFailed: _step_failed,
    ev.StepInDoubt: lambda e: bad(f"? {e.key}: in doubt: {e.reason}"),
    ev.DoubtSettled: _doubt_settled,
    ev.GateReached: _gate,
    ev.GateOpened: lambda e: good(said(f"  {e.key}: opened by {e.by}: {e.reason}")),
    ev.Waived: lambda e: careful(said(f"  waived by {e.by}: {e.name}: {e.reason}")),
    ev.Paused: lambda e: careful("‖ " + said(f"paused by {e.by}")),
    ev.Resumed: lambda e: strong(
        said(f"going on{f' after a {e.after}' if e.after else ''}{_without(e)}")
    ),
    ev.UndoStarted: lambda e: strong(said(f"undo: {e.reason or 'asked for'}{_without(e)}")),
    ev.Proven: lambda e: good(f"✔ {said(_short(e.what))}"),
    ev.EndpointDown: lambda e: careful(said(f"  {e.endpoint} does not answer: {e.reason}")),
    ev.EndpointUp: lambda e: good(
        said(
            f"  {e.endpoint} answers again after {seconds(e.seconds)} ({e.failed} requests failed)"
        )
    ),
    ev.RunEnded: _ended,
    # The first of two says that it begins; the second what stayed.
    ev.Finalized: lambda e: good("■ " + said(f"finalized by {e.by}")) if e.kept else "",
}


def run_summary_lines(state: RunState) -> Iterator[str]:
    """Render the last lines of a run: what happened, what users saw, what to type next."""
    done = sum(status is Status.DONE for status in state.status.values())
    took = sum(state.seconds.values())
    yield ""
    yield said(
        f"run {state.run}: {stage_text(state)}, {done} step{'s' * (done != 1)} in {seconds(took)}"
    )
    yield from watched_lines(state.watched)
    hint = _answer(state) if state.stage is Stage.WAITING else _NEXT.get(state.stage, "")
    if hint:
        yield f"  → {said(_named(hint, state.run))}"


def _answer(state: RunState) -> str:
    """Say how to answer what a run waits for."""
    if keys := state.asked_before_undo():
        approved = " ".join(dict.fromkeys(f"--approve {step_id(key)}" for key in keys))
        return f"go back all the same: changeover undo {approved}; go on: changeover resume"
    return f"changeover approve {state.waiting.key} && changeover resume" if state.waiting else ""


def _named(hint: str, run: str) -> str:
    """Name the run where it is not one of the hosts: commands without a name mean theirs."""
    if not run.startswith("operator-"):
        return hint
    return re.sub(r"changeover (resume|undo|finalize)", rf"changeover \1 {run}", hint)


_NEXT = {
    Stage.OPEN: "go on: changeover resume; go back: changeover undo",
    Stage.UNDOING: "go on going back: changeover resume",
    Stage.PAUSED: "go on: changeover resume; go back: changeover undo",
    Stage.FAILED: "try again: changeover resume; pass over: changeover skip; back: changeover undo",
    Stage.DONE: "accept it: changeover finalize; go back: changeover undo",
    Stage.ABORTED: "go back: changeover undo",
}
