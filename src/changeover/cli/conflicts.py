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
    seen: set[tuple[str, str, str]] = set()
    while ask and somebody_is_there() and settle_open(session, seen):
        findings, made = examine(session, request)
    return findings, made


def somebody_is_there() -> bool:
    """Say whether there is a terminal to ask on."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def settle_open(session: Session, seen: set[tuple[str, str, str]]) -> bool:
    """Ask about the conflicts that are open, file by file; return whether any was answered.

    What is in `seen` was asked about before and left open; what is asked about now is added.
    """
    opened = session.binder.open_conflicts()
    found = [one for one in opened if (one.file, one.host, one.conflict.path) not in seen]
    seen |= {(one.file, one.host, one.conflict.path) for one in opened}
    if not found:
        return False
    # Few runs have conflicts, and the terminal's part takes its time to import.
    from changeover.cli.merge.asking import Sight, ask_about  # noqa: PLC0415 - few runs have any

    answers: dict[str, Any] = {}
    for file, group in groupby(found, key=lambda one: one.file):
        several = {one.conflict.path: one for one in group}
        first = next(iter(several.values()))
        click.echo(f"\n{first.host}: {first.path}", err=True)
        notes = {path: one.note for path, one in several.items() if one.note}
        sight = Sight(first.ours, first.theirs, notes=notes, secrets=first.secrets)
        said = ask_about(tuple(one.conflict for one in several.values()), sight)
        answers |= {f"{file}:{path}": answer for path, answer in said.items()}
    if answers:
        session.binder.decide(answers)
    return bool(answers)
