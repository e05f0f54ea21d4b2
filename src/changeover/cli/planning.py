"""`check` and `plan`: look, and touch nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from changeover.cli.conflicts import examined
from changeover.cli.opening import Asked, opened, request_for
from changeover.cli.options import (
    decide_option,
    instance_option,
    output_option,
    set_option,
    waive_option,
)
from changeover.cli.output import emit
from changeover.engine.fixes import fix_all
from changeover.engine.preflight import examine, insist
from changeover.errors import InvalidInput
from changeover.model.findings import Finding, Severity, blocking
from changeover.model.plan import Plan
from changeover.model.saved import saved
from changeover.views.finding import finding_lines
from changeover.views.plan import plan_lines

Command = Callable[..., Any]


def target_options(command: Command) -> Command:
    """Add the options that say where to go."""
    for option in (
        click.option("--to", "target", metavar="VERSION", help="The release to reach [latest]."),
        click.option("--procedure", metavar="NAME", help="A procedure instead of the upgrade."),
        click.option("--only", multiple=True, metavar="STEP|PHASE", help="These steps alone."),
        set_option,
        waive_option,
        decide_option,
        instance_option,
    ):
        command = option(command)
    return command


@click.command()
@target_options
@click.option("--fix", is_flag=True, help="Mend what the release knows how to mend.")
@output_option
def check(instance: Path, output: str, fix: bool, **asked: Any) -> None:
    """Look for everything that would make an upgrade fail; change nothing.

    Exit code 0: ready; 3: something failed.
    """
    wanted = Asked(**asked)
    with opened(instance, asked=wanted) as session:
        request = request_for(session, wanted)
        findings, _ = examine(session, request)
        if fix:
            fix_all(session, request, findings)
            findings, _ = examine(session, request)
        emit(findings, finding_lines(findings, request.waived), output)
        if blocking(findings, request.waived):
            raise click.exceptions.Exit(3)


@click.command()
@target_options
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan here.")
@click.option("--short", is_flag=True, help="Without diffs and commands.")
@output_option
def plan(instance: Path, out: Path | None, short: bool, output: str, **asked: Any) -> None:
    """Show exactly what an upgrade would do to this instance; change nothing.

    A saved plan is bound to what it was made from: `changeover apply FILE` refuses it once
    something moved, and says what.
    """
    wanted = Asked(**asked)
    with opened(instance, asked=wanted) as session:
        request = request_for(session, wanted)
        findings, made = examined(session, request, ask=output == "text")
        _show(made, findings, session.instance.language, short=short, output=output)
        insist(findings, request.waived)
        if out and made:
            _save(out, json.dumps(saved(made), ensure_ascii=False, indent=1) + "\n")
            click.echo(f"saved: {out}; to carry it out: changeover apply {out}", err=True)


def _save(out: Path, text: str) -> None:
    try:
        out.write_text(text)
    except OSError as error:
        said = f"{out}: the plan cannot be saved: {error.strerror}"
        raise InvalidInput(said, "name another file: --out FILE") from error


def _show(
    made: Plan | None, findings: list[Finding], language: str, *, short: bool, output: str
) -> None:
    if made:
        emit(saved(made), plan_lines(made, language, whole=not short), output)
    troubles = [f for f in findings if f.severity in (Severity.WARN, Severity.FAIL)]
    if troubles:
        for line in finding_lines(troubles, made.waived if made else {}):
            click.echo(line, err=True)
