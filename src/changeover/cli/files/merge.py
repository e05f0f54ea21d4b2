"""`changeover files merge`: files merged with a release's references, one by one."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import click

from changeover.cli.files.configured import Configured
from changeover.cli.files.opening import Opened, opened_files, release_files
from changeover.cli.files.states import state_of
from changeover.cli.merge_asking import one_key
from changeover.cli.output import emit
from changeover.hosts.host import Host
from changeover.model.findings import Finding, blocking
from changeover.model.plan import Change
from changeover.views.files import FileState
from changeover.views.files import diff_lines as settings_lines
from changeover.views.style import bad, careful, diff_lines, good


@dataclass(frozen=True)
class Result:
    """What became of one file."""

    state: FileState
    outcome: str
    """`merged`, `as wanted`, `to merge` (with --check), `left` or `refused`."""
    reason: str = ""
    kept: str = ""
    """Where the file as it was is kept on its host."""

    def row(self) -> dict[str, Any]:
        """Return it for programs."""
        found = {**self.state.row(), "outcome": self.outcome}
        return {**found, "reason": self.reason, "kept": self.kept}


@click.command()
@release_files
@click.option("--check", is_flag=True, help="Say what would happen; write nothing.")
@click.option("--yes", is_flag=True, help="Write without asking.")
def merge(output: str, check: bool, yes: bool, **given: Any) -> None:
    """Merge files with their references and write them: shown first, validated, original kept.

    The references are those of the installed release unless --to names another one. A file with
    conflicts nobody settled is left as it is: changeover files resolve. Exit code 0: all files are
    as wanted; 1: some are not.
    """
    ask = sys.stdin.isatty() and sys.stderr.isatty() and not yes and output == "text"
    with opened_files(**given, to_installed=True) as opened:
        results = []
        for file in opened.files:
            result = _looked_at(opened, file) if check else _merged(opened, file, ask=ask, yes=yes)
            results.append(result)
            if output == "text":
                click.echo(_outcome_line(file, result))
        opened.session.binder.keep_answers()
        if output != "text":
            emit([opened.place.masker.tree(r.row()) for r in results], (), output)
        if any(result.outcome not in ("merged", "as wanted") for result in results):
            raise click.exceptions.Exit(1)


def _looked_at(opened: Opened, file: Configured) -> Result:
    """Show what would happen to a file; what stands against it is told, not raised."""
    state = state_of(file)
    if state.problem:
        return Result(state, "refused", state.problem)
    change = file.action.plan(file.host)
    findings = blocking(file.action.check(file.host), {})
    _show(opened, state, change, findings)
    if state.conflicts:
        return Result(state, "left", f"to decide: {', '.join(state.conflicts)}")
    if findings:
        return Result(state, "refused", findings[0].message)
    return Result(state, "to merge" if change.needed else "as wanted")


def _merged(opened: Opened, file: Configured, *, ask: bool, yes: bool) -> Result:
    seen = _looked_at(opened, file)
    if seen.outcome != "to merge":
        return seen
    if ask and one_key("y write it, n leave it", "ynq") != "y":
        return Result(seen.state, "left", "left as it is")
    if not (ask or yes):
        return Result(seen.state, "left", "nobody said yes: --yes, or on a terminal")
    with opened.place.held():
        kept = _carry_out(file)
    return Result(seen.state, "merged", kept=kept)


def _carry_out(file: Configured) -> str:
    """Write a file and prove it; return where its original is kept."""
    host = file.host.acting_for("files/merge", limit=None, silence=None)
    real = file.outcome.there
    kept = _kept(host, real.path) if real.state.there else ""
    change = file.action.plan(host)
    file.action.apply(host, change)
    file.action.verify(host, change)
    return kept


def _kept(host: Host, path: str) -> str:
    return f"{host.state_dir}/store/{host.keep(path)}"


def _show(opened: Opened, state: FileState, change: Change, findings: list[Finding]) -> None:
    lines = [*settings_lines([state]), *diff_lines(change.diff)]
    if not state.conflicts:
        lines += [bad(f"{finding.message}\n  → {finding.remedy}") for finding in findings]
    for line in lines:
        click.echo(opened.masked(line), err=True)


def _outcome_line(file: Configured, result: Result) -> str:
    paint = {"merged": good, "as wanted": good, "to merge": careful, "left": careful}
    line = f"{file.shown}: {paint.get(result.outcome, bad)(result.outcome)}"
    if result.reason:
        line += f": {result.reason}"
    return line + (f"; the file as it was: {result.kept}" if result.kept else "")
