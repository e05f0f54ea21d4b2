"""`changeover release diff`: what changed between the references of two releases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from changeover.cli.guide import listed_for
from changeover.cli.options import given_here, instance_option
from changeover.cli.output import emit
from changeover.errors import ChangeoverError
from changeover.instances.folder import load_instance
from changeover.merge.compare import Hints, compare, template_text
from changeover.model.config import Config
from changeover.model.release import Release
from changeover.sources.bundle import bundle_bytes
from changeover.sources.folder import Listed, hub_releases, load_release, release_called
from changeover.sources.manifest_build import MANIFEST
from changeover.sources.renames import renamed_over
from changeover.sources.versions import version_key
from changeover.views.release_diff import FileChange, diff_lines, diff_markdown

TEMPLATE = ".j2"


@click.command("diff")
@click.argument("old", metavar="V1")
@click.argument("new", metavar="V2")
@instance_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "markdown", "json", "yaml"]),
    default="text",
    show_default=True,
    help="The form of the output.",
)
def diff(old: str, new: str, instance: Path, output: str) -> None:
    """Show what changed between the reference files of two releases, setting by setting.

    V1 and V2 are versions from the instance's hubs, or release folders. Templates are compared as
    they are written, with no values of an instance.
    """
    way = _way(old, new, instance)
    found = list(file_changes(way))
    title = f"{way[0].product} {way[0].version} → {way[-1].version}"
    if output == "markdown":
        click.echo("\n".join(diff_markdown(title, found)))
        return
    rows = {"from": way[0].version, "to": way[-1].version, "files": [f.row() for f in found]}
    emit(rows, diff_lines(title, found), output)


def _way(old: str, new: str, instance: Path) -> list[Release]:
    """Return the two releases, and those between them, which may rename settings too."""
    folders = [Path(word) for word in (old, new) if (Path(word) / MANIFEST).is_file()]
    ends = {str(folder): load_release(folder) for folder in folders}
    if len(folders) == len({old, new}):
        listed = _beside(ends[str(Path(new))])
    else:
        listed = listed_for(load_instance(instance, given_here()))
    first, last = (
        ends.get(str(Path(word))) or release_called(listed, word).load() for word in (old, new)
    )
    low, high = sorted(version_key(end.version) for end in (first, last))
    between = [r.load() for r in listed if low < version_key(r.version) < high]
    up = version_key(first.version) <= version_key(last.version)
    return [first, *(between if up else reversed(between)), last]


def _beside(release: Release) -> list[Listed]:
    """Return the releases in the folders beside one; none where they cannot be read."""
    try:
        return hub_releases(release.folder.absolute().parent, release.product)
    except ChangeoverError:
        return []


def file_changes(way: list[Release]) -> Iterator[FileChange]:
    """Yield the files whose reference is not the same at both ends of a way of releases."""
    old, new = way[0], way[-1]
    for name in dict.fromkeys((*new.configs, *old.configs)):
        before, after = old.configs.get(name), new.configs.get(name)
        methods = dict.fromkeys(
            (*(before.reference if before else ()), *(after.reference if after else ()))
        )
        for method in methods:
            change = _file_change(way, name, method)
            if change is not None:
                yield change


def _file_change(way: list[Release], name: str, method: str) -> FileChange | None:
    old, new = way[0], way[-1]
    before, after = old.configs.get(name), new.configs.get(name)
    here, there = _text(old, before, method), _text(new, after, method)
    if after is None or there is None:
        return FileChange(name, method, "removed", _at(before, method))
    if before is None or here is None:
        return FileChange(name, method, "added", _at(after, method))
    hints = Hints(
        after.variant(after.reference, method).removesuffix(TEMPLATE), after.format or None,
        after.identity, renamed_over(way, name), after.secrets,
    )  # fmt: skip
    found = compare(here, there, hints)
    old_at, new_at = _at(before, method), _at(after, method)
    if not found and old_at == new_at:
        return None
    moved = old_at if old_at != new_at else ""
    return FileChange(name, method, "changed", new_at, moved, found.changes,
                      found.comments_added, found.comments_removed, found.note)  # fmt: skip


def _text(release: Release, config: Config | None, method: str) -> bytes | None:
    file = config.variant(config.reference, method) if config else ""
    if not file:
        return None
    content = bundle_bytes(release.folder, file)
    if not file.endswith(TEMPLATE):
        return content
    return template_text(content.decode("utf-8", "surrogateescape")).encode(
        "utf-8", "surrogateescape"
    )


def _at(config: Config | None, method: str) -> str:
    return config.variant(config.at, method) if config else ""
