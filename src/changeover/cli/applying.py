"""`apply`, `resume`, `undo` and `finalize`: the commands that change hosts."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from changeover.cli.conflicts import examined
from changeover.cli.following import follower
from changeover.cli.journal import operator_name
from changeover.cli.opening import Asked, opened, request_for
from changeover.cli.options import instance_option
from changeover.cli.planning import target_options
from changeover.cli.terminal import operator_for
from changeover.engine.drift import refuse_moved_version, refuse_stale
from changeover.engine.finalize import finalize as finalize_run
from changeover.engine.flow import Flow, new_run
from changeover.engine.planner import Request, request_of
from changeover.engine.preflight import insist
from changeover.engine.runs import last_run, open_run, refuse_open_run
from changeover.engine.session import Session
from changeover.errors import InvalidInput
from changeover.model.findings import Finding, blocking
from changeover.model.plan import Plan
from changeover.model.saved import plan_in, refuse_edited
from changeover.model.state import RunState, Status
from changeover.views.finding import finding_lines
from changeover.views.plan import plan_lines
from changeover.views.run import run_summary_lines

Command = Callable[..., Any]


@dataclass(frozen=True)
class Manner:
    """How a run talks and decides."""

    output: str = "text"
    on_failure: str | None = None
    approved: tuple[str, ...] = ()

    def flow(self, session: Session, run: str) -> Flow:
        """Return a run's flow that prints what happens."""
        operator = operator_for(operator_name(), self.on_failure, self.approved)
        flow = Flow(session, run, operator, (follower(self.output),))
        flow.controls.noticed = partial(_say_stopping, flow)
        return flow


def _say_stopping(flow: Flow) -> None:
    running = [key for key, status in flow.state.status.items() if status is Status.STARTED]
    said = f"stopping after {', '.join(running) or 'this'}; once more to leave at once"
    # Past Python's buffers: the signal may have come in the middle of a line.
    os.write(sys.stderr.fileno(), f"\n{said} (changeover resume goes on either way)\n".encode())


def manner_options(command: Command) -> Command:
    """Add the options that say how a run talks and decides."""
    for option in (
        click.option(
            "--on-failure",
            type=click.Choice(["stop", "retry", "skip", "undo", "abort"]),
            help="What to do when a step fails [asked on a terminal, else stop].",
        ),
        click.option(
            "--approve",
            "approved",
            multiple=True,
            metavar="STEP|all",
            help="Open every gate of this step beforehand; `all`: all approvals, no drift or loss.",
        ),
        click.option(
            "-o",
            "--output",
            type=click.Choice(["text", "json"]),
            default="text",
            help="The form of the output.",
        ),
        click.option("-y", "--yes", is_flag=True, help="Do not ask whether to begin."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("plan_file", required=False, type=click.Path(exists=True, path_type=Path))
@target_options
@manner_options
def apply(instance: Path, plan_file: Path | None, **given: Any) -> None:
    """Carry out a saved plan, or plan and carry out at once.

    It can be killed at any moment and go on with `changeover resume`; Ctrl-C stops it after the
    current step; `changeover undo` takes it back.
    """
    asked, manner, yes = split(given)
    with opened(instance) as session:
        refuse_open_run(session.store)
        plan = _fitting(session, plan_file, asked) if plan_file else None
        session.binder.decided = asked.decided
        request = request_of(plan) if plan else request_for(session, asked)
        plan = insisted(session, request, plan, ask=manner.output == "text")
        begin(session, plan, manner, asked_to_confirm=not (plan_file or yes))


without_option = click.option(
    "--without",
    multiple=True,
    metavar="HOST",
    help="Do not wait for a host that is away: its steps are done when it is back.",
)


@click.command()
@click.argument("run", required=False)
@without_option
@instance_option
@manner_options
def resume(
    instance: Path, run: str | None, without: tuple[str, ...], yes: bool, **given: Any
) -> None:
    """Go on with the run that stopped, failed, waits or was killed.

    With --without, all that other hosts can do is done and shown to work; the run then waits for
    the host that is away (exit code 7).
    """
    manner = Manner(**given)
    with opened(instance, run) as session:
        session.leave_out(without)
        _drive(manner.flow(session, open_run(session.store, run)), Flow.go_on)


@click.command()
@click.argument("run", required=False)
@click.option("--reason", default="asked for", help="Why, for the journal.")
@click.option("--dry-run", is_flag=True, help="Only show the way back.")
@without_option
@instance_option
@manner_options
def undo(
    instance: Path,
    run: str | None,
    reason: str,
    dry_run: bool,
    without: tuple[str, ...],
    yes: bool,
    **given: Any,
) -> None:
    """Go back to where a run began: stop, restore, start, and prove it."""
    manner = Manner(**given)
    with opened(instance, run) as session:
        session.leave_out(without)
        flow = manner.flow(session, last_run(session.store, run))
        flow.refuse_undone()
        if not flow.state.undo:
            _print(manner, plan_lines(flow.way_back(), session.instance.language))
            if dry_run:
                return
            _confirm("Go back?", needed=not yes)
        _drive(flow, lambda f: f.go_back(reason))


@click.command()
@click.argument("run", required=False)
@instance_option
@manner_options
def finalize(instance: Path, run: str | None, yes: bool, **given: Any) -> None:
    """Accept a run for good: free what undo needed; the latest verified backup stays."""
    manner = Manner(**given)
    with opened(instance, run) as session:
        _confirm("There will be no way back by `undo`. Finalize?", needed=not yes)
        kept = finalize_run(manner.flow(session, last_run(session.store, run)))
        for host, backups in kept.items():
            click.echo(f"{host} keeps: {', '.join(backups) or 'no backup'}", err=True)


def split(given: dict[str, Any]) -> tuple[Asked, Manner, bool]:
    """Tell apart where to go, how to talk, and whether to ask before it begins."""
    yes = bool(given.pop("yes"))
    manner = Manner(given.pop("output"), given.pop("on_failure"), given.pop("approved"))
    return Asked(**given), manner, yes


def _read(file: Path) -> tuple[Plan, Any]:
    try:
        body = json.loads(file.read_text())
        if not isinstance(body, dict):
            raise TypeError("it is no mapping")
        return plan_in(body), body
    except InvalidInput as error:
        raise InvalidInput(f"{file}: {error.message}", error.remedy) from None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(
            f"{file}: is not a saved plan: {error}", "make one: plan --out"
        ) from None


def _fitting(session: Session, file: Path, asked: Asked) -> Plan:
    """Return a saved plan that is for this instance as it is; only checks may still be waived."""
    if asked.target or asked.procedure or asked.only or asked.inputs:
        raise InvalidInput(
            f"{file}: a saved plan says itself where to go and how",
            "leave out --to, --procedure, --only and --set; or plan again: changeover plan",
        )
    (plan, body), here = _read(file), session.instance
    if (plan.instance, plan.product) != (here.name, here.product):
        raise InvalidInput(
            f"{file}: is a plan for {plan.product} on {plan.instance}, "
            f"not for {here.product} on {here.name}",
            "name its instance: changeover -i FOLDER apply",
        )
    refuse_edited(body, str(file))
    refuse_moved_version(plan, session.installed())
    return replace(plan, waived={**plan.waived, **asked.waived})


def insisted(session: Session, request: Request, plan: Plan | None, *, ask: bool) -> Plan:
    """Look for all that would fail, and return the plan; raise where something would."""
    findings, made = examined(session, request, ask=ask)
    _complain(findings, request)
    insist(findings, request.waived)
    if not made:
        raise InvalidInput("there is nothing to plan", "changeover release list")
    if plan:
        refuse_stale(plan, made)
    return plan or made


def _complain(findings: Sequence[Finding], request: Request) -> None:
    if blocking(findings, request.waived):
        for line in finding_lines(findings, request.waived):
            click.echo(line, err=True)


def begin(session: Session, plan: Plan, manner: Manner, *, asked_to_confirm: bool) -> None:
    """Show a plan, ask, and carry it out."""
    if asked_to_confirm:
        _print(manner, plan_lines(plan, session.instance.language, whole=False))
        _confirm("Carry it out?", needed=True)
    _drive(manner.flow(session, session.run_prefix + new_run()), lambda flow: flow.begin(plan))


def _confirm(question: str, *, needed: bool) -> None:
    if not needed:
        return
    if not sys.stdin.isatty():
        raise InvalidInput("nobody is there to say yes", "say it beforehand: --yes")
    click.confirm(question, abort=True, err=True)


def _print(manner: Manner, lines: Any) -> None:
    for line in lines:
        click.echo(line, err=manner.output == "json")


def _drive(flow: Flow, work: Callable[[Flow], None]) -> None:
    try:
        work(flow)
    finally:
        _sum_up(flow.state)


def _sum_up(state: RunState) -> None:
    if state.started:
        for line in run_summary_lines(state):
            click.echo(line, err=True)
