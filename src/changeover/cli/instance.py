"""`instance`: write, adopt, show and check instances."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from changeover.cli.adopting import adopted, asked
from changeover.cli.examining import examined
from changeover.cli.options import given_words, instance_option, output_option
from changeover.cli.output import emit
from changeover.cli.reaching import ping_hosts, tunnel
from changeover.engine.adoption import found_lines
from changeover.instances.draft import draft_text, refuse_taken, write_draft
from changeover.instances.folder import open_instance
from changeover.instances.given import NOTHING, known_only
from changeover.instances.written import InstanceWritten
from changeover.model.codec import to_json
from changeover.model.findings import blocking
from changeover.model.secret import Masker
from changeover.sources.schema import schema_of
from changeover.views.finding import finding_lines
from changeover.views.instance import instance_lines


@click.group()
def instance() -> None:
    """Write, adopt, show, check and reach instances."""


@instance.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--adopt", metavar="USER@HOST", help="Read a server that runs; `local` for this one.")
@click.option("--become", type=click.Choice(["sudo"]), help="Work as root there, through sudo.")
@click.option("--port", type=int, help="Of sshd.")
@click.option("--name", help="What the instance is called.")
@click.option("--product", help="What is installed.")
@click.option("--hub", "hubs", multiple=True, help="A folder of releases; may be repeated.")
@click.option("--yes", is_flag=True, help="Write without asking anything.")
def init(folder: Path, adopt: str | None, yes: bool, **said: Any) -> None:
    """Write an instance folder, by asking or by reading a server (which is not changed)."""
    refuse_taken(folder)
    if adopt:
        found, draft = adopted(adopt, folder, said, ask=not yes)
        click.echo("\n".join(found_lines(found)) or "nothing was recognized")
    else:
        draft = asked(folder, said, ask=not yes)
    click.echo(f"\n{draft_text(draft)}")
    if not yes and not click.confirm(f"Write this to {folder}?", default=True):
        raise click.Abort
    made = write_draft(folder, draft)
    click.echo(f"wrote {made.folder}/instance.yaml")
    for name in draft.secrets:
        click.echo(f"secret {name}: encrypted in secrets.age; the key is age.key: keep a copy")
    click.echo(f"next: changeover instance check -i {folder}")


@instance.command()
@instance_option
@output_option
def show(instance: Path, output: str) -> None:
    """Show an instance; secrets by the place where they are kept."""
    masker = Masker()
    described, secrets = open_instance(instance, masker.learn, given_words() or NOTHING)
    kept = {name: str(secrets.reference(name)) for name in secrets}
    # Reading the values teaches the masker those that stand under `!vault`.
    shown = {**to_json(known_only(described)), "secrets": kept}
    emit(masker.tree(shown), instance_lines(described, kept), output)


@instance.command()
@click.option("--offline", is_flag=True, help="Do not connect to the hosts.")
@instance_option
@output_option
def check(instance: Path, offline: bool, output: str) -> None:
    """Look for everything wrong with the folder: secrets, keys, hubs, hosts.

    Exit code 0: all is well; 3: something is not.
    """
    findings = list(examined(instance, offline=offline))
    emit(findings, finding_lines(findings, {}), output)
    if blocking(findings):
        raise click.exceptions.Exit(3)


instance.add_command(ping_hosts)
instance.add_command(tunnel)


@instance.command()
def schema() -> None:
    """Print the JSON Schema of instance.yaml."""
    click.echo(json.dumps(schema_of(InstanceWritten, "instance"), indent=2, ensure_ascii=False))
