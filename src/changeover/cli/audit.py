"""Prove or export the journal."""

from __future__ import annotations

from pathlib import Path

import click

from changeover.cli.journal import reading_store
from changeover.cli.opening import opened
from changeover.cli.options import instance_option, output_option
from changeover.cli.output import emit
from changeover.engine.audit import verify as verify_audit
from changeover.engine.journal import encode, verify_chain
from changeover.views.finding import finding_lines


@click.group()
def audit() -> None:
    """Prove or export the journal."""


@audit.command()
@click.option("--local", is_flag=True, help="Only the chain here, without asking the hosts.")
@instance_option
@output_option
def verify(instance: Path, local: bool, output: str) -> None:
    """Prove that nobody edited, cut or re-chained the journal. Exit code 10 if somebody did."""
    if local:
        last = verify_chain(reading_store(instance).entries())
        click.echo(f"unbroken; head: {last.hash if last else 'no entry'}")
        return
    with opened(instance) as session:
        findings = list(verify_audit(session))
    emit(findings, finding_lines(findings, {}), output)


@audit.command()
@instance_option
def export(instance: Path) -> None:
    """Print the whole journal, one JSON entry a line."""
    for entry in reading_store(instance).entries():
        click.echo(encode(entry))
