"""`env dismantle`: take an environment down for good."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import click

from changeover.cli.applying import Manner, begin, insisted
from changeover.cli.env.departure import leave_commit, mentions
from changeover.cli.env.reading import read_environment
from changeover.cli.opening import Asked, opened, request_for
from changeover.cli.options import instance_option
from changeover.engine.fetching import fetch_backup
from changeover.engine.prober import unanswered
from changeover.engine.runs import ended_with, refuse_open_run
from changeover.engine.session import Session
from changeover.errors import ActionFailed, ChangeoverError, GateClosed, InvalidInput, NotReady
from changeover.model.findings import Finding
from changeover.model.instance import Instance
from changeover.model.plan import Plan
from changeover.views.finding import finding_lines
from changeover.views.phrasebook import said
from changeover.views.plan import plan_lines

PROCEDURE, BACKUP, BACKUP_NAME = "dismantle", "last-backup", "last"
DROP = "drop_database"
"""What a release asks that has a database to drop."""
USUAL = {
    "vm": "the machine", "database": "the database server", "dns": "the name in DNS",
    "certificate": "the certificate", "callbacks": "the OpenID callback addresses",
}  # fmt: skip
"""What an environment usually has from others, whether its file says so or not."""


@click.command()
@click.option("--drop-database", is_flag=True, help="Drop the database as well.")
@click.option("--backup-to", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Where the last backup goes [NAME-last-backup, here].")  # fmt: skip
@click.option("--no-backup", is_flag=True, help="Take none.")
@click.option("--gone", is_flag=True, help="Its machine is gone: the checklist and the commit.")
@click.option("--confirm", metavar="NAME", help="The environment's name, instead of typing it.")
@click.option("--approve", "approved", multiple=True, metavar="STEP|all",
              help="Open the gates of this step beforehand.")  # fmt: skip
@instance_option
def dismantle(
    instance: Path,
    backup_to: Path | None,
    confirm: str | None,
    approved: tuple[str, ...],
    **choice: bool,
) -> None:
    """Take an environment down for good: look who uses it, back it up, remove it, prove it.

    What this tool cannot remove is a checklist (machine, database, certificate, name, callback
    addresses) with whom to ask. A commit that removes its folder is left on a branch, to be
    reviewed. Nothing happens before its name was typed.
    """
    described, _, lack = read_environment(instance)
    if choice["gone"]:
        _typed_name(described.name, confirm)
        _leave(instance, described, [])
        return
    if lack:
        raise lack
    manner = Manner(approved=approved)
    with opened(instance) as session:
        refuse_open_run(session.store)
        # A run that waited for somebody comes to its end by `resume`: proof and commit are left.
        done = ended_with(session.store, PROCEDURE)
        plan = None if done else _shown(session, drop=choice["drop_database"])
        _typed_name(described.name, confirm)
        if plan and not choice["no_backup"]:
            _back_up(session, manner, backup_to or Path(f"{described.name}-last-backup"))
        if plan:
            _carry_out(session, plan, manner)
        proven = list(_proven(session))
    for line in proven:
        click.echo(said(f"proven: {line}"))
    _leave(instance, described, proven)


def _shown(session: Session, *, drop: bool) -> Plan:
    """Return the plan, shown with what still uses the environment."""
    asked = Asked(procedure=PROCEDURE, inputs=_inputs(session, drop=drop))
    plan = insisted(session, request_for(session, asked), None, ask=True)
    language = session.instance.language
    for line in (*plan_lines(plan, language), *_in_use(session, asked)):
        click.echo(line)
    return plan


def _carry_out(session: Session, plan: Plan, manner: Manner) -> None:
    """Run it; where it waits for somebody, say what is left after that."""
    try:
        begin(session, plan, manner, asked_to_confirm=False)
    except GateClosed as error:
        rest = f"changeover env dismantle -i {session.instance.folder}"
        raise GateClosed(error.message, f"{error.remedy}; then for the rest: {rest}") from None


def _inputs(session: Session, *, drop: bool) -> dict[str, str]:
    """Say yes or no where the release asks: an answer of another day must not count."""
    asks = DROP in [known.name for known in session.release(session.target(None)).inputs]
    return {DROP: str(drop).lower()} if asks or drop else {}


def _in_use(session: Session, asked: Asked) -> Iterator[str]:
    """Say once more, last of all, what shows that somebody uses it."""
    findings: list[Finding] = []
    session.plan(request_for(session, Asked(procedure=PROCEDURE, only=("prepare",))), findings)
    yield from finding_lines(findings, asked.waived)


def _typed_name(name: str, confirm: str | None) -> None:
    if confirm is None:
        if not sys.stdin.isatty():
            raise InvalidInput("nobody is there to type the name", f"--confirm {name}")
        confirm = str(click.prompt(said(f"Type `{name}` to dismantle it"), default="", err=True))
    if confirm.strip() != name:
        raise InvalidInput(f"`{confirm}` is not `{name}`: nothing was done", "type its name")


def _back_up(session: Session, manner: Manner, folder: Path) -> None:
    asked = Asked(procedure=BACKUP)
    begin(session, insisted(session, request_for(session, asked), None, ask=True), manner,
          asked_to_confirm=False)  # fmt: skip
    fetched = 0
    for host in session.hosts.values():
        # It was taken on one of them.
        with suppress(NotReady):
            click.echo(said(f"last backup: {fetch_backup(host, BACKUP_NAME, folder)}"))
            fetched += 1
    if not fetched:
        raise ActionFailed("no host has the last backup: nothing was removed", "--no-backup")


def _proven(session: Session) -> Iterator[str]:
    """Say what shows that it is gone; raise `ActionFailed` where it still answers."""
    found = session.installed()
    if found:
        raise ActionFailed(f"the hosts still say {found} is installed", "changeover show")
    yield "nothing is installed on its hosts any more"
    for endpoint in session.instance.endpoints:
        reason = unanswered(endpoint, session.instance.folder)
        if not reason:
            raise ActionFailed(
                f"{endpoint.name} ({endpoint.url}) still answers", "another host may serve it"
            )
        yield f"{endpoint.url} does not answer any more: {reason}"


def _leave(folder: Path, described: Instance, proven: list[str]) -> None:
    """Go through the checklist, and leave the commit."""
    try:
        lines = [*proven, *_checklist(described)]
    except click.Abort:
        click.echo(f"no commit yet: changeover env dismantle --gone -i {folder}", err=True)
        raise
    names = {h for e in described.endpoints if (h := urlsplit(e.url).hostname)}
    for file in mentions(folder, sorted(names)):
        lines.append(f"[ ] mentioned in {file}")
    click.echo(said("checklist:"))
    for line in lines:
        click.echo(said(f"  {line}"))
    try:
        branch = leave_commit(folder, described.name, lines)
    except ChangeoverError as error:
        click.echo(f"no commit: {error.message}", err=True)
        return
    if branch:
        click.echo(said(f"to be reviewed and merged: git log -p -1 {branch}"))
    else:
        click.echo(said(f"{folder} is not in git: remove it yourself"))


def _checklist(described: Instance) -> Iterator[str]:
    known = {**dict.fromkeys(USUAL), **described.resources}
    for kind, resource in known.items():
        what = USUAL.get(kind, kind)
        of = f" {resource.of}" if resource and resource.of else ""
        where = f", {resource.where}" if resource and resource.where else ""
        ask = f"; ask {resource.contact}" if resource and resource.contact else ""
        done = sys.stdin.isatty() and click.confirm(said(f"Given back: {what}{of}{where}{ask}?"),
                                                    default=False, err=True)  # fmt: skip
        yield f"[{'x' if done else ' '}] {what}{of}{where}{ask}"
