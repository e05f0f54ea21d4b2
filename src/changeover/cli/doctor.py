"""`doctor`: what is wrong, why, what shows it and what to do; `--fix` does what is safe."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from changeover.cli.journal import operator_name
from changeover.cli.opening import opened
from changeover.cli.options import instance_option, output_option
from changeover.cli.output import emit
from changeover.engine.doctor import consult, consult_once_up, mend
from changeover.engine.runs import unfinished
from changeover.engine.session import Session
from changeover.errors import InvalidInput, Unreachable
from changeover.model.diagnosis import Diagnosis, Fault
from changeover.model.state import RunState
from changeover.views.diagnosis import diagnosis_lines

ROUNDS = 6
"""How often one looks again: what is mended may uncover what can be mended next."""


@click.command()
@click.option("--fix", is_flag=True, help="Mend what is safe to mend, one by one, causes first.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before each mending.")
@instance_option
@output_option
def doctor(instance: Path, output: str, fix: bool, yes: bool) -> None:
    """Find out what is wrong with a platform that runs, or does not.

    It names cause, evidence and remedy, causes before symptoms, and changes nothing without
    --fix. Exit code 0: nothing is broken; 3: something is; 5: a host cannot be reached.
    """
    with opened(instance) as session:
        diagnosis = consult(session)
        if fix:
            _say_held_back(session, diagnosis)
            diagnosis = _fixed(session, diagnosis, yes=yes, output=output)
        emit(asdict(diagnosis), diagnosis_lines(diagnosis), output)
    if any(told.fault.kind == "host-unreachable" for told in diagnosis.findings):
        raise click.exceptions.Exit(Unreachable.exit_code)
    if diagnosis.broken:
        raise click.exceptions.Exit(3)


def _fixed(session: Session, diagnosis: Diagnosis, *, yes: bool, output: str) -> Diagnosis:
    """Mend roots and look again, until nothing more can be mended or was agreed to."""
    tried: set[tuple[str, str, str]] = set()
    for _ in range(ROUNDS):
        safe = mendable(diagnosis, during=unfinished(session.store))
        wanted = [fault for fault in safe if _key(fault) not in tried]
        if wanted and output == "text":
            for line in diagnosis_lines(diagnosis):
                click.echo(line)
            click.echo()
        tried |= set(map(_key, wanted))
        agreed = [fault for fault in wanted if yes or _agreed(fault)]
        if not agreed:
            return diagnosis
        for fault, trouble in mend(session, agreed, operator_name()):
            title = fault.mending.title if fault.mending else fault.what
            outcome = f"failed: {trouble}" if trouble else "done"
            click.echo(f"{fault.host}: {title}: {outcome}", err=True)
        diagnosis = consult_once_up(session)
    return diagnosis


def mendable(diagnosis: Diagnosis, during: RunState | None = None) -> list[Fault]:
    """Return the roots that may be mended; during an open run nothing is started.

    A run stops what must not run beside its changes: a database half migrated has no users.
    """
    roots = [t.fault for t in diagnosis.findings if t.fault.mending and not t.depth]
    return [fault for fault in roots if not (during and _starts(fault))]


def _starts(fault: Fault) -> bool:
    return fault.mending is not None and fault.mending.use.endswith(".start")


def _say_held_back(session: Session, diagnosis: Diagnosis) -> None:
    run = unfinished(session.store)
    if run and any(map(_starts, mendable(diagnosis))):
        click.echo(
            f"run {run.run} is still open ({run.stage}): nothing it may have stopped is started\n"
            "  → go on: changeover resume; go back: changeover undo; leave it so: changeover abort",
            err=True,
        )


def _key(fault: Fault) -> tuple[str, str, str]:
    return fault.host, fault.kind, fault.thing


def _agreed(fault: Fault) -> bool:
    if fault.mending is None:
        return False
    if not sys.stdin.isatty():
        raise InvalidInput("nobody is there to say yes", "say it beforehand: --yes")
    return click.confirm(f"{fault.host}: {fault.mending.title}?", err=True)
