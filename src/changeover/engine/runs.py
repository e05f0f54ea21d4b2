"""Which runs an instance has had, and which one a command means."""

from __future__ import annotations

from changeover.engine.store import Store
from changeover.errors import InvalidInput, NotReady
from changeover.model.state import RunState, replay


def all_runs(store: Store) -> list[RunState]:
    """Return every run's state, oldest first."""
    return [replay(store.entries(run)) for run in store.runs()]


def last_run(store: Store, named: str | None = None) -> str:
    """Return the run a command means: the named one (a unique part is enough), or the last."""
    runs = store.runs()
    if not runs:
        raise NotReady("this instance has had no run yet", "changeover plan, then changeover apply")
    if not named:
        return runs[-1]
    alike = [run for run in runs if named in run]
    if len(alike) != 1:
        known = ", ".join(runs[-5:])
        raise InvalidInput(f"{named}: names {len(alike)} runs", f"the last ones are: {known}")
    return alike[0]


def open_run(store: Store, named: str | None = None) -> str:
    """Return the run to go on with; raise `NotReady` where it has ended."""
    run = last_run(store, named)
    state = replay(store.entries(run))
    if state.stage.ended:
        raise NotReady(f"run {run} is {state.stage}: nothing is left to do", "changeover plan")
    return run


def refuse_open_run(store: Store) -> None:
    """Raise `NotReady` where a run is still open: two at once would undo each other's ground."""
    runs = store.runs()
    state = replay(store.entries(runs[-1])) if runs else None
    if state and state.started and not state.stage.ended:
        raise NotReady(
            f"run {state.run} is still open ({state.stage})",
            "go on: changeover resume; go back: changeover undo; leave it so: changeover abort",
        )
