"""Commands that steer a run: pause, abort, approve, skip, settle, takeover, lock."""

from __future__ import annotations

from pathlib import Path

import click

from changeover.cli.following import follower
from changeover.cli.journal import operator_name, reading_store
from changeover.cli.opening import opened
from changeover.cli.options import instance_option
from changeover.cli.terminal import operator_for
from changeover.engine.flow import Flow
from changeover.engine.journal import Journal
from changeover.engine.lock import LEASE, StoreLock, parse_holder
from changeover.engine.runs import last_run, open_run
from changeover.engine.store import Store
from changeover.engine.takeover import fetch
from changeover.errors import InvalidInput, LockHeld, NotReady
from changeover.model import events as ev
from changeover.model.state import Status

run_option = click.option("--run", metavar="RUN", help="Which run [the last].")


@click.command()
@run_option
@click.option("--reason", default="", help="Why, for the journal.")
@instance_option
def pause(instance: Path, run: str | None, reason: str) -> None:
    """Stop the run after its current step; `resume` goes on."""
    store = reading_store(instance, run)
    named = open_run(store, run)
    if not StoreLock(store.folder).shown():
        raise NotReady(f"run {named} is not being carried out now", "changeover show")
    store.ask(named, "pause", by=operator_name(), reason=reason)
    click.echo(f"run {named} will stop after its current step")


@click.command()
@run_option
@click.option("--reason", prompt="Why?", help="Why, for the journal.")
@instance_option
def abort(instance: Path, run: str | None, reason: str) -> None:
    """Stop the run for good, as it stands; it can still be undone."""
    store = reading_store(instance, run)
    named = open_run(store, run)
    if StoreLock(store.folder).shown():
        store.ask(named, "abort", by=operator_name(), reason=reason)
        click.echo(f"run {named} will stop after its current step")
        return
    _append(store, named, ev.RunEnded("aborted", operator_name(), reason))
    click.echo(f"run {named} is aborted; to go back: changeover undo")


@click.command()
@click.argument("step")
@run_option
@click.option("--reason", default="approved", help="Why, for the journal.")
@instance_option
def approve(instance: Path, step: str, run: str | None, reason: str) -> None:
    """Open the gate a run waits at; then `resume`, or `undo` where that is what asks."""
    store = reading_store(instance, run)
    named = last_run(store, run)
    state = Journal(store, named).state
    if not state.asked_before_undo():  # that may be the undo of a run that ended well
        open_run(store, named)
    gates = list(state.gates.values())
    chosen = [gate for gate in gates if _means(step, gate.key)]
    if not chosen:
        at = ", ".join(gate.key for gate in gates) or "no gate"
        said = f"{step}: the run does not wait there; it waits at {at}"
        raise InvalidInput(said, "changeover show")
    for gate in chosen:
        onward = "undo" if gate.key in state.asked_before_undo() else "resume"
        _append(store, named, ev.GateOpened(gate.key, gate.kind, operator_name(), reason))
        click.echo(f"{gate.key} may go on: changeover {onward}")


@click.command()
@click.argument("step")
@run_option
@click.option("--reason", prompt="Why may it be passed over?", help="Kept in the journal.")
@instance_option
def skip(instance: Path, step: str, run: str | None, reason: str) -> None:
    """Pass over a step that failed, was interrupted or waits at a gate; then `resume`."""
    store = reading_store(instance, run)
    named = open_run(store, run)
    stopped = (Status.FAILED, Status.IN_DOUBT, Status.STARTED, Status.PENDING)
    for key in _stopped_at(store, named, step, stopped):
        _append(store, named, ev.StepSkipped(key, reason, operator_name()))
        click.echo(f"{key} is passed over; to go on: changeover resume")


@click.command()
@click.argument("step")
@run_option
@click.option("--happened/--did-not", "happened", required=True, help="What you found.")
@click.option("--reason", prompt="How do you know?", help="Kept in the journal.")
@instance_option
def settle(instance: Path, step: str, run: str | None, happened: bool, reason: str) -> None:
    """Say what happened to a step in doubt; then `resume`."""
    store = reading_store(instance, run)
    named = open_run(store, run)
    doubtful = (Status.IN_DOUBT, Status.STARTED)
    for key in _stopped_at(store, named, step, doubtful):
        _append(store, named, ev.DoubtSettled(key, happened, operator_name(), reason))
        click.echo(f"{key}: {'done' if happened else 'will be tried again'}: changeover resume")


@click.command()
@click.option("--wait/--end", "waits", default=True, help="Wait for, or end, what still runs.")
@click.option("--force", is_flag=True, help="Do not wait for the lost machine's lease to lapse.")
@instance_option
def takeover(instance: Path, waits: bool, force: bool) -> None:
    """Continue a run that began on another machine, from what its hosts remember."""
    with opened(instance) as session:
        run = fetch(session)
        click.echo(f"run {run} was fetched from the hosts")
        flow = Flow(session, run, operator_for(operator_name(), None, ()), (follower("text"),))
        flow.take_over(wait=waits, force=force)


@click.group()
def lock() -> None:
    """See or release the lock of an instance."""


@lock.command()
@instance_option
def status(instance: Path) -> None:
    """Show who works on the instance, here and on its hosts. Exit code 8 if somebody does."""
    here = StoreLock(reading_store(instance).folder).shown()
    click.echo(f"here: {here or 'nobody'}")
    held = bool(here)
    with opened(instance) as session:
        for name, host_lock in session.transports.items():
            found = host_lock.lock_show()
            held = held or bool(found)
            who = f"{parse_holder(found.holder)}, token {found.token}" if found else "nobody"
            click.echo(f"{name}: {who}")
    if held:
        raise click.exceptions.Exit(LockHeld.exit_code)


@lock.command()
@click.option("--reason", prompt="Why is the holder known to be dead?", help="Why.")
@instance_option
def release(instance: Path, reason: str) -> None:
    """Take the lock from a holder that is known to be dead, before its lease lapses."""
    here = StoreLock(reading_store(instance).folder).shown()
    if here:
        raise LockHeld(f"{here} is alive", "ask it to stop: changeover pause")
    with opened(instance) as session:
        for name, host_lock in session.transports.items():
            found = host_lock.lock_show()
            if not found:
                continue
            token = session.store.next_token()
            host_lock.lock_take(token, f"released by {operator_name()}", LEASE, force=True)
            host_lock.lock_release()
            click.echo(f"{name}: taken from {parse_holder(found.holder)}: {reason}")


def _append(store: Store, run: str, event: ev.Event) -> None:
    # A run that is being carried out is the only one to write its journal.
    if found := StoreLock(store.folder).shown():
        raise LockHeld(f"{found} is at work on this run", "ask it to stop first: changeover pause")
    Journal(store, run).append(event)


def _stopped_at(store: Store, run: str, step: str, where: tuple[Status, ...]) -> list[str]:
    state = Journal(store, run).state
    known = dict.fromkeys((*state.status, *(gate.key for gate in state.gates.values())))
    keys = [key for key in known if state.of(key) in where]
    chosen = [key for key in keys if _means(step, key)]
    if not chosen:
        stopped = ", ".join(keys) or "no step"
        raise InvalidInput(f"{step}: is not where the run stopped; that is {stopped}")
    return chosen


def _means(written: str, key: str) -> bool:
    """Say whether a step may be called so: its key, its id, or its id and host."""
    name = key.rpartition("/")[2]
    return written in (key, name, name.partition("@")[0])
