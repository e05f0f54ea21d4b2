"""`guide`: the release's guide for one instance alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from changeover.cli.opening import opened
from changeover.cli.options import given_words, instance_option, set_option
from changeover.engine.guide import Reader, guide_for
from changeover.engine.inputs import inputs_for
from changeover.engine.order import UPGRADE
from changeover.engine.route import find_route
from changeover.errors import InvalidInput
from changeover.instances.folder import open_instance
from changeover.instances.given import NOTHING
from changeover.model.instance import Instance
from changeover.model.release import Release
from changeover.sources.folder import Listed, release_called, releases_of
from changeover.views.guide import guide_text


@click.command()
@click.option("--to", "target", metavar="VERSION", help="The release to reach [latest].")
@click.option(
    "--from",
    "installed",
    metavar="VERSION",
    help="What is installed; without it the hosts are asked. `none` for nothing.",
)
@click.option("--procedure", metavar="NAME", default=UPGRADE, help="A procedure, not the upgrade.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "html"]),
    default="text",
    show_default=True,
    help="The form of the guide.",
)
@click.option("--language", metavar="CODE", help="Such as fr [the instance's].")
@set_option
@instance_option
def guide(instance: Path, procedure: str, form: str, **asked: Any) -> None:
    """Print the release's guide for this instance alone; secrets are named, never shown."""
    described, secrets = open_instance(instance, given=given_words() or NOTHING)
    listed = listed_for(described)
    goal = release_called(listed, asked["target"] or "latest").load()
    if procedure != UPGRADE and procedure not in goal.procedures:
        known = ", ".join(sorted(goal.procedures)) or "none"
        raise InvalidInput(f"{goal.version} has no procedure {procedure}", f"it has: {known}")
    before = installed_version(instance, asked["installed"])
    route = route_to(goal, listed, before) if procedure == UPGRADE else [goal]
    answers = inputs_for(goal, described, asked["inputs"])
    language = asked["language"] or described.language
    reader = Reader(described, tuple(secrets), answers, language, procedure)
    click.echo(guide_text(guide_for(route, before, reader), form))


def listed_for(instance: Instance) -> list[Listed]:
    """Return the releases in the hubs of an instance."""
    return releases_of(instance.hub_folders, instance.product)


def installed_version(folder: Path, said: str | None) -> str:
    """Return what is installed: as it was said, or as the hosts say."""
    if said is not None:
        return "" if said == "none" else said
    with opened(folder) as session:
        return session.installed()


def route_to(goal: Release, listed: list[Listed], installed: str) -> list[Release]:
    """Return the releases of the way, judged without asking a host."""
    way = find_route(listed, installed, goal.version)
    return [goal if hop.version == goal.version else hop.load() for hop in way]
