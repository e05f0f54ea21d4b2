"""Conflicts of configuration files that a plan met: asked about on the terminal, one by one."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import Any

import click

from changeover.engine.planner import Request
from changeover.engine.preflight import examine
from changeover.engine.session import Session
from changeover.model.findings import Finding
from changeover.model.plan import Plan


def examined(session: Session, request: Request, *, ask: bool) -> tuple[list[Finding], Plan | None]:
    """Look and plan; ask about open conflicts, where somebody is there, until none is answered."""
    findings, made = examine(session, request)
    while ask and _somebody() and _settle(session):
        findings, made = examine(session, request)
    return findings, made


def _somebody() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _settle(session: Session) -> bool:
    """Ask about the conflicts that are open; return whether any was answered."""
    found = session.binder.open_conflicts()
    if not found:
        return False
    # Few runs have conflicts, and the terminal's part takes its time to import.
    from changeover.cli.merge_asking import Sight, ask_about  # noqa: PLC0415

    answers: dict[str, Any] = {}
    for file, group in groupby(found, key=lambda one: one.file):
        several = {one.conflict.path: one for one in group}
        first = next(iter(several.values()))
        click.echo(f"\n{first.host}: {first.path}", err=True)
        notes = {path: one.note for path, one in several.items() if one.note}
        sight = Sight(first.ours, first.theirs, notes=notes, secrets=first.secrets)
        said = ask_about(tuple(one.conflict for one in several.values()), sight)
        answers |= {f"{file}:{path}": answer for path, answer in said.items()}
    session.binder.decide(answers)
    return bool(answers)
