"""`release`: lint, list and show releases."""

from __future__ import annotations

import json
from pathlib import Path

import click

from changeover.actions import builtin
from changeover.cli.guide import installed_version, listed_for
from changeover.cli.lazy import LazyGroup
from changeover.cli.options import given_here, instance_option, output_option
from changeover.cli.output import emit
from changeover.engine.route import find_route
from changeover.instances.ansible.recipe_lint import recipe_problems
from changeover.instances.folder import INSTANCE, load_instance
from changeover.model.problem import ERROR
from changeover.model.release import Release
from changeover.sources.folder import load_release, release_called
from changeover.sources.lint import lint_release
from changeover.sources.manifest_build import MANIFEST
from changeover.sources.schema import release_schema
from changeover.views.lint import problem_lines
from changeover.views.release import release_lines

_TRAVEL = "changeover.cli.release."
TRAVEL = {
    "list": (_TRAVEL + "list:list_", "List the releases of hubs."),
    "keygen": (_TRAVEL + "bundle:keygen", "Make a key pair to sign releases with."),
    "diff": (_TRAVEL + "diff:diff", "Show what changed between the files of two releases."),
    "pack": (_TRAVEL + "bundle:pack", "Pack a release folder into one file or a layout."),
    "sign": (_TRAVEL + "bundle:sign", "Add signatures to a packed release."),
    "verify": (_TRAVEL + "bundle:verify", "Verify a packed release, offline."),
    "push": (_TRAVEL + "travel:push", "Bring a release to a hub."),
    "pull": (_TRAVEL + "travel:pull", "Fetch a release from a registry, verified."),
    "export": (_TRAVEL + "travel:export", "Write a release to a disk; only what is new."),
    "import": (_TRAVEL + "travel:bring", "Bring a release from a disk into a hub."),
    "use": (_TRAVEL + "use:use", "Put a release and its images where an instance needs them."),
}

language_option = click.option("--language", metavar="CODE", default="en", help="Such as fr.")


@click.group(cls=LazyGroup, lazy=TRAVEL)
def release() -> None:
    """Lint, list and show releases."""


@release.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path), metavar="[FOLDER]...")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@output_option
def lint(folders: tuple[Path, ...], strict: bool, output: str) -> None:
    """Find everything that is wrong with releases, in one pass.

    Exit code 0: nothing to correct; 2: something is.
    """
    wanted = [f.parent if f.name == MANIFEST else f for f in folders or (Path(),)]
    problems = [
        problem
        for folder in wanted
        for problem in (*lint_release(folder, builtin), *recipe_problems(folder))
    ]
    rows = [
        {"level": p.level, "where": str(p.where), "message": p.message, "remedy": p.remedy,
         "name": p.name}
        for p in problems
    ]  # fmt: skip
    emit(rows, problem_lines(problems), output)
    if any(p.level == ERROR or strict for p in problems):
        raise click.exceptions.Exit(2)


@release.command()
@click.argument("version", default="latest")
@language_option
@instance_option
@output_option
def show(version: str, language: str, instance: Path, output: str) -> None:
    """Show one release: a version from the instance's hubs, or a release folder."""
    found = _named(version, instance)
    emit(found, release_lines(found, language), output)


@release.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--to", "target", metavar="VERSION", help="The release to reach [latest].")
@click.option("--from", "installed", metavar="VERSION", help="Without it the hosts are asked.")
@click.option("--language", metavar="CODE", help="Such as fr [the instance's].")
@instance_option
def notes(
    folder: Path | None, target: str | None, installed: str | None, language: str | None,
    instance: Path,
) -> None:  # fmt: skip
    """Print the notes of every release on the way to one, or of a release folder."""
    if folder:
        click.echo(load_release(folder).notes.to(language or "en").rstrip())
        return
    described = load_instance(instance, given_here())
    listed = listed_for(described)
    goal = release_called(listed, target or "latest")
    way = find_route(listed, installed_version(instance, installed), goal.version)
    for hop in way:
        loaded = hop.load()
        spoken = language or described.language
        click.echo(f"# {loaded.product} {loaded.version}  {loaded.title.to(spoken)}".rstrip())
        click.echo(f"\n{loaded.notes.to(spoken).rstrip() or '(no notes)'}\n")


@release.command()
def schema() -> None:
    """Print the JSON Schema of release.yaml."""
    click.echo(json.dumps(release_schema(), indent=2, ensure_ascii=False))


def _named(version: str, instance: Path) -> Release:
    folder = Path(version)
    if (folder / MANIFEST).is_file():
        return load_release(folder)
    if version == "latest" and not (instance / INSTANCE).is_file() and Path(MANIFEST).is_file():
        return load_release(Path())
    return release_called(listed_for(load_instance(instance, given_here())), version).load()
