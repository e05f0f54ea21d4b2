"""`changeover files merge`: files merged with a release's references, one by one."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import click

from changeover.cli.files.configured import Configured
from changeover.cli.files.opening import Opened, opened_files, release_files
from changeover.cli.files.states import state_of
from changeover.cli.keys import one_key
from changeover.cli.output import emit
from changeover.errors import NotReady
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
    ask = sys.stdin.isatty() and sys.stderr.isatty() and not (yes or check) and output == "text"
    with opened_files(**given, to_installed=True) as opened:
        seen = [_looked_at(file) for file in opened.files]
        # An answer nothing asks for is an error before anything is written.
        opened.session.binder.keep_answers()
        results = []
        for sight in seen:
            if output == "text":
                _show(opened, sight)
            results.append(sight.result if check else _merged(opened, sight, ask=ask, yes=yes))
            if output == "text":
                click.echo(opened.masked(_outcome_line(sight.file, results[-1])))
        if output != "text":
            emit([opened.place.masker.tree(r.row()) for r in results], (), output)
        if any(result.outcome not in ("merged", "as wanted") for result in results):
            raise click.exceptions.Exit(1)


@dataclass(frozen=True)
class Sight:
    """A file before anything is done to it: what would happen, and what stands against it."""

    file: Configured
    result: Result
    change: Change | None = None
    against: tuple[Finding, ...] = ()


def _looked_at(file: Configured) -> Sight:
    """Look at a file; what stands against its merge is told, not raised."""
    state = state_of(file)
    if state.problem:
        return Sight(file, Result(state, "refused", state.problem))
    change = file.action.plan(file.host)
    if state.conflicts:
        reason = f"to decide: {', '.join(state.conflicts)}"
        return Sight(file, Result(state, "left", reason), change)
    against = tuple(blocking(file.action.check(file.host)))
    if against:
        reason = against[0].message
        return Sight(file, Result(state, "refused", reason), change, against)
    return Sight(file, Result(state, "to merge" if change.needed else "as wanted"), change)


def _merged(opened: Opened, sight: Sight, *, ask: bool, yes: bool) -> Result:
    state = sight.result.state
    if sight.result.outcome != "to merge":
        return sight.result
    if ask and one_key("y write it, n leave it", "yn") != "y":
        return Result(state, "left", "left as it is")
    if not (ask or yes):
        return Result(state, "left", "nobody said yes: --yes, or on a terminal")
    with opened.place.held():
        return Result(state, "merged", kept=_carry_out(sight))


def _carry_out(sight: Sight) -> str:
    """Write a file as it was shown, and prove it; return where its original is kept.

    Raises `NotReady` where the file is not what it was any more.
    """
    file = sight.file
    host = file.host.acting_for("files/merge", limit=None, silence=None)
    change = file.action.plan(host)
    if sight.change is None or change.facts != sight.change.facts:
        raise NotReady(f"{file.shown}: was changed since it was shown", "merge it again")
    real, also = file.outcome.there, file.outcome.also
    there = [real.path] if real.state.there else []
    there += [one.path for one in also if one.due and one.state.there]
    kept = [_kept(host, path) for path in there]
    file.action.apply(host, change)
    file.action.verify(host, change)
    return ", ".join(kept)


def _kept(host: Host, path: str) -> str:
    return f"{host.state_dir}/store/{host.keep(path)}"


def _show(opened: Opened, sight: Sight) -> None:
    lines = [
        *settings_lines([sight.result.state]),
        *diff_lines(sight.change.diff if sight.change else ""),
    ]
    lines += [bad(f"{finding.message}\n  → {finding.remedy}") for finding in sight.against]
    for line in lines:
        click.echo(opened.masked(line), err=True)


def _outcome_line(file: Configured, result: Result) -> str:
    paint = {"merged": good, "as wanted": good, "to merge": careful, "left": careful}
    line = f"{file.shown}: {paint.get(result.outcome, bad)(result.outcome)}"
    if result.reason:
        line += f": {result.reason}"
    return line + (f"; the file as it was: {result.kept}" if result.kept else "")
