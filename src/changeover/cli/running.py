"""`run`: carry out named procedures of a release."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from changeover.cli.applying import Manner, begin, insisted, manner_options, split
from changeover.cli.journal import operator_name
from changeover.cli.opening import Asked, opened, request_for
from changeover.cli.output import emit
from changeover.cli.planning import target_options
from changeover.engine.order import only_looks
from changeover.engine.runs import refuse_open_run
from changeover.engine.workstation import Workstation, leave_open_run
from changeover.errors import InvalidInput
from changeover.views.plan import seen_lines


@click.command("run", context_settings={"ignore_unknown_options": True})
@click.argument("name", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--then", "after", multiple=True, metavar="NAME", help="Another procedure after it went well."
)
@target_options
@manner_options
def run_procedure(
    instance: Path, name: tuple[str, ...], after: tuple[str, ...], **given: Any
) -> None:
    """Carry out a named procedure of the release, such as `provision` or `certs list`.

    Several words name the procedure that has them joined: `certs list` is `certs-list`. Inputs may
    be written as options: `--push` is `--set push=true`, `--ref=v2` is `--set ref=v2`. A procedure
    that only looks shows what it saw; nothing is asked, and no run is recorded.
    """
    given["inputs"] = {**given["inputs"], **_inputs(name)}
    asked, manner, yes = split(given)
    first = "-".join(word for word in name if not word.startswith("--"))
    if not first:
        raise InvalidInput("run: which procedure?", "changeover release show lists them")
    for procedure in (first, *after):
        carry_out(instance, replace(asked, procedure=procedure), manner, yes=yes)


def _inputs(words: tuple[str, ...]) -> dict[str, str]:
    """Read inputs that were written as options."""
    pairs = (word[2:].partition("=") for word in words if word.startswith("--"))
    return {name.replace("-", "_"): value if equals else "true" for name, equals, value in pairs}


def carry_out(instance: Path, asked: Asked, manner: Manner, *, yes: bool) -> None:
    """Plan a procedure, show and ask, and carry it out; one that only looks is shown."""
    with opened(instance, asked=asked) as session:
        request = request_for(session, asked)
        if only_looks(session.release(request.target), request.procedure):
            seen = session.plan(request)
            emit(seen, seen_lines(seen, session.instance.language), manner.output)
            return
        if isinstance(session, Workstation):
            leave_open_run(session.store, operator_name())
        refuse_open_run(session.store)
        plan = insisted(session, request, None, ask=manner.output == "text")
        begin(session, plan, manner, asked_to_confirm=not yes)
        if isinstance(session, Workstation):
            # What is still somebody's to do stands there, and was cut off on the line of the step.
            for step in plan.steps:
                click.echo(step.change.summary)
