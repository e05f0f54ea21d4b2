"""Commands that only read: history, show, watch, logs."""

from __future__ import annotations

import time
from pathlib import Path

import click

from changeover.cli.following import follower
from changeover.cli.journal import own_store, reading_store
from changeover.cli.options import instance_option, output_option
from changeover.cli.output import emit
from changeover.engine.journal import Journal
from changeover.engine.lock import StoreLock
from changeover.engine.runs import all_runs, last_run
from changeover.errors import InvalidInput, NotReady
from changeover.model.codec import from_json
from changeover.model.plan import Plan
from changeover.views.plan import plan_lines
from changeover.views.run import history_lines, run_lines

POLL = 0.2
"""Seconds between two looks at the journal of a run another process writes."""


@click.command()
@instance_option
@output_option
def history(instance: Path, output: str) -> None:
    """List the runs of an instance, the newest last, and those of this machine alone."""
    own = own_store(instance)
    runs = all_runs(reading_store(instance)) + (all_runs(own) if own else [])
    runs.sort(key=lambda run: run.started_at or "")
    rows = [{"run": r.run, "started": r.started_at, "stage": r.stage} for r in runs]
    emit(rows, history_lines(runs), output)


@click.command()
@click.argument("run", required=False)
@click.option("--plan", "with_plan", is_flag=True, help="With the plan as it was approved.")
@instance_option
@output_option
def show(instance: Path, run: str | None, with_plan: bool, output: str) -> None:
    """Show a run: where every step stands, and what users saw."""
    store = reading_store(instance, run)
    state = Journal(store, last_run(store, run)).state
    if not state.started:
        raise NotReady(f"run {state.run} never started", "changeover history")
    plan = from_json(Plan, store.plan(state.started.plan))
    lines = list(plan_lines(plan)) if with_plan else []
    lines += run_lines(plan, state)
    if state.undo:
        lines += run_lines(from_json(Plan, store.plan(state.undo.plan)), state)
    emit({"stage": state.stage, "status": state.status, "plan": plan}, lines, output)


@click.command()
@click.argument("run", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="The form of the output.",
)
@instance_option
def watch(instance: Path, run: str | None, output: str) -> None:
    """Follow a run from its beginning, until nobody carries it out any more."""
    store = reading_store(instance, run)
    named, tell, seen = last_run(store, run), follower(output), 0
    lock = StoreLock(store.folder)
    while True:
        # Asked before reading: what is written until then is still shown.
        alive = lock.shown()
        for entry in store.entries(named):
            if entry.seq > seen:
                seen = entry.seq
                tell(entry)
        if not alive:
            return
        time.sleep(POLL)


@click.command()
@click.argument("step")
@click.option("--run", metavar="RUN", help="Which run [the last].")
@instance_option
def logs(instance: Path, step: str, run: str | None) -> None:
    """Show what the commands of a step said, try by try (secrets masked)."""
    store = reading_store(instance, run)
    named = last_run(store, run)
    keys = [k for k in Journal(store, named).state.status if step in k]
    if not keys:
        raise InvalidInput(f"{step}: no step of run {named} is called so", "changeover show")
    for key in keys:
        for attempt, body in store.outputs(named, key):
            click.echo(click.style(f"{key}, try {attempt}", bold=True))
            click.echo(body or "(said nothing)")
