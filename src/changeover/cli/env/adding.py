"""`env add`: write a new environment by asking, and see that its resources are there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import click

from changeover.cli.adopting import host_of, word_of
from changeover.cli.env.ansible import refuse_unsealable, siblings, write_environment
from changeover.cli.env.listing import environments
from changeover.cli.env.reading import read_environment
from changeover.cli.opening import Asked, opened, request_for
from changeover.cli.options import given_here, vault_option
from changeover.cli.reaching import pinged
from changeover.cli.secrets.generating import KINDS
from changeover.engine.preflight import examine
from changeover.errors import ChangeoverError, InvalidInput, InvalidInstance
from changeover.hosts.ping import Pong, Trouble
from changeover.instances.draft import (
    Draft,
    draft_text,
    refuse_taken,
    refuse_unwritable,
    write_draft,
)
from changeover.instances.folder import open_instance
from changeover.model.findings import Finding, blocking, failed, passed, warned
from changeover.model.instance import Instance
from changeover.model.secret import Masker
from changeover.views.finding import finding_lines

RESOURCES = ("vm", "database", "dns", "callbacks")
PROCEDURE = "resources"
"""The procedure of a release that looks whether what an environment needs is there."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--as",
    "form",
    type=click.Choice(["native", "ansible"]),
    help="Its form [that of the environments beside it].",
)
@click.option("--no-check", is_flag=True, help="Do not look whether its resources are there.")
@vault_option
def add(folder: Path, form: str | None, no_check: bool) -> None:
    """Write a new environment by asking; then see that machine, name, database and callbacks exist.

    In a folder of Ansible environments it is one of them: hosts, group_vars, a vault.
    """
    beside = siblings(folder)
    as_ansible = form == "ansible" or (form is None and bool(beside))
    # What would be in the way at the end is said before anything is asked.
    refuse_taken(folder)
    refuse_unwritable(folder)
    if as_ansible:
        refuse_unsealable(folder)
    model = _model(folder)
    draft = _asked(folder, model)
    lacking: list[str] = []
    if as_ansible:
        lacking = write_environment(folder, draft, beside[0] if beside else None)
    else:
        click.echo(draft_text(replace(draft, secrets={})))
        write_draft(folder, draft)
    click.echo(f"wrote {folder}")
    for name in lacking:
        click.echo(
            f"secret {name} is still to be filled: changeover secrets set {name} -i {folder}"
        )
    if not no_check:
        _check(folder)
    click.echo(f"next: changeover run provision -i {folder}")


def _model(folder: Path) -> Instance | None:
    """Return an environment beside the new one, whose answers are offered."""
    for place in environments(folder.parent, 2) if folder.parent.is_dir() else ():
        try:
            return open_instance(place, given=given_here(incomplete=True))[0]
        except ChangeoverError:
            continue
    return None


def _asked(folder: Path, model: Instance | None) -> Draft:
    name = click.prompt("Name", default=word_of(folder.resolve().name))
    description = click.prompt("What is it for?", default="", show_default=False)
    product = model.product if model else click.prompt("Product", default=word_of(name))
    host, fields = host_of(click.prompt("Machine (USER@HOST, or local)"), {})
    if fields.get("user") not in (None, "", "root"):
        fields["become"] = "sudo"
    url = _url(click.prompt("Address users will type (https://…)"))
    branch = click.prompt("Branch it is deployed from", default="master")
    secrets = {"secret_key": KINDS["secretkey"](), "config_repo_api_key": KINDS["apikey"]()}
    database = _database()
    if database:
        secrets["database_url"] = database
    parts = urlsplit(url)
    values = {"domain": str(parts.hostname), "tls_enabled": parts.scheme == "https"}
    hubs = model.hubs if model else [click.prompt("Folder with its releases", default="releases")]
    return Draft(
        name,
        product,
        {host: fields},
        hubs=hubs,
        language=model.language if model else "en",
        vars=values,
        endpoints=[{"name": "site", "url": url}],
        databases={"main": {"url": "{{ secrets.database_url }}", "on": "db"}},
        secrets=secrets,
        description=description,
        deployed_from=branch,
        resources=_resources(model),
    )


def _url(text: str) -> str:
    parts = urlsplit(text if "://" in text else f"https://{text}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(f"{text}: is no address", "write https://name")
    return f"{parts.scheme}://{parts.netloc}/"


def _database() -> str:
    """Ask for the parts of the URL: the password is encoded here, and nowhere by hand."""
    place = click.prompt(
        "Database (HOST[:PORT]/NAME, empty: later)", default="", show_default=False
    )
    if not place:
        return ""
    user = click.prompt("Its user")
    password = click.prompt("Its password", hide_input=True)
    return f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{place}"


def _resources(model: Instance | None) -> dict[str, dict[str, str]]:
    found = {}
    for kind in RESOURCES:
        known = model.resources.get(kind) if model else None
        where = _said(f"Who runs its {kind}, and where?", known.where if known else "")
        contact = where and _said("  Whom to ask?", known.contact if known else "")
        found[kind] = {"where": where, "contact": contact}
    return found


def _said(question: str, default: str) -> str:
    return str(click.prompt(question, default=default, show_default=bool(default)))


def _check(folder: Path) -> None:
    findings: list[Finding] = []
    try:
        # One by one: what was seen is told, also where the rest cannot be looked at yet.
        for finding in _looked(folder):
            findings.append(finding)
    except InvalidInstance as error:
        findings.append(failed(error.message, error.remedy))
    for line in finding_lines(findings, {}):
        click.echo(line)
    if blocking(findings):
        click.echo(
            "written, and not all of it is there yet: changeover check --procedure "
            f"{PROCEDURE} -i {folder}",
            err=True,
        )


def _looked(folder: Path) -> Iterator[Finding]:
    masker = Masker()
    described, secrets, lack = read_environment(folder, masker.learn)
    found = list(pinged(list(described.hosts.values()), secrets, masker))
    for pong in found:
        yield _pong_finding(pong)
    yield from _names(described)
    if lack:
        raise lack
    if any(pong.trouble for pong in found):
        return
    with opened(folder) as session:
        release = session.release(session.target(None))
        if PROCEDURE in release.procedures:
            asked = Asked(procedure=PROCEDURE)
            yield from examine(session, request_for(session, asked))[0]


def _pong_finding(pong: Pong) -> Finding:
    if pong.trouble is Trouble.NONE:
        return replace(passed(f"answers, as {pong.said}"), host=pong.host)
    return replace(failed(f"{pong.trouble}: {pong.said}", pong.remedy), host=pong.host)


def _names(described: Instance) -> Iterator[Finding]:
    """See that the name users type leads to the machine."""
    machines = {a for h in described.hosts.values() for a in _addresses(h.address or h.name)}
    for endpoint in described.endpoints:
        name = urlsplit(endpoint.url).hostname or ""
        found = _addresses(name)
        if not found:
            yield failed(f"{name}: is not in DNS", "have it written there")
        elif not found & machines:
            shown = ", ".join(sorted(found))
            yield warned(
                f"{name}: leads to {shown}, which is not the machine",
                "right where a proxy stands before it; else have it corrected",
            )
        else:
            yield passed(f"{name}: leads to the machine")


def _addresses(name: str) -> set[str]:
    try:
        found: list[Any] = socket.getaddrinfo(name, None)
    except OSError:
        return set()
    return {str(entry[4][0]) for entry in found}
