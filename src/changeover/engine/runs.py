"""Which runs an instance has had, and which one a command means."""

from __future__ import annotations

from changeover.engine.store import Store
from changeover.errors import InvalidInput, NotReady
from changeover.model.state import RunState, Stage, replay


def all_runs(store: Store) -> list[RunState]:
    """Return every run's state, oldest first."""
    return [replay(store.entries(run)) for run in store.runs()]


def last_run(store: Store, named: str | None = None) -> str:
    """Return the run a command means: the named one (a unique part is enough), or the last."""
    newest = _newest(store)
    if not newest:
        raise NotReady("this instance has had no run yet", "changeover plan, then changeover apply")
    if not named:
        return newest.run
    runs = store.runs()
    alike = [run for run in runs if named in run]
    if len(alike) != 1:
        known = ", ".join(runs[-5:])
        raise InvalidInput(f"{named}: names {len(alike)} runs", f"the last ones are: {known}")
    return alike[0]


def _newest(store: Store) -> RunState | None:
    """Return the last run that began: one that only took the lock has done nothing."""
    states = (replay(store.entries(run)) for run in reversed(store.runs()))
    return next((state for state in states if state.started), None)


def ended_with(store: Store, procedure: str) -> bool:
    """Say whether the last run was one of a procedure, and did all it had to do."""
    newest = _newest(store)
    kept = newest is not None and newest.stage in (Stage.DONE, Stage.FINALIZED)
    return bool(kept and newest and newest.started and newest.started.procedure == procedure)


def open_run(store: Store, named: str | None = None) -> str:
    """Return the run to go on with; raise `NotReady` where it has ended."""
    run = last_run(store, named)
    state = replay(store.entries(run))
    if state.stage.ended:
        raise NotReady(f"run {run} is {state.stage}: nothing is left to do", "changeover plan")
    return run


def refuse_overtaken(store: Store, run: str) -> None:
    """Raise `NotReady` where a later run changed what this one left, and was not undone."""
    runs = store.runs()
    for later in reversed(runs[runs.index(run) + 1 :] if run in runs else ()):
        state = replay(store.entries(later))
        if state.stage is not Stage.UNDONE and any(map(state.touched, state.changes)):
            raise NotReady(
                f"run {later} came after {run} and built on it ({state.stage})",
                f"go back in order: changeover undo {later}",
            )


def unfinished(store: Store) -> RunState | None:
    """Return the run that is still open, if one is."""
    state = _newest(store)
    return state if state and not state.stage.ended else None


def refuse_open_run(store: Store) -> None:
    """Raise `NotReady` where a run is still open: two at once would undo each other's ground."""
    state = unfinished(store)
    if state:
        raise NotReady(
            f"run {state.run} is still open ({state.stage})",
            "go on: changeover resume; go back: changeover undo; leave it so: changeover abort",
        )
