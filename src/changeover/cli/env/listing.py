"""`env list`: every environment below a folder, and what runs there now."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from changeover.cli.env.reading import read_environment
from changeover.cli.options import named_passwords, output_option, vault_option
from changeover.cli.output import emit
from changeover.engine.session import open_session
from changeover.errors import ChangeoverError, InvalidInput
from changeover.instances.given import Given
from changeover.instances.place import (
    EXTRAS,
    INSTANCE,
    PASSED_OVER,
    inventories_in,
    usual_inventory,
)
from changeover.model.instance import Instance, Resource
from changeover.views.style import bad, faint, strong, version

DEEPEST = 6
"""Folders below the one that is listed."""
PATIENCE = 15.0


@dataclass(frozen=True)
class Listed:
    """What there is to say of an environment."""

    folder: str
    name: str
    description: str = ""
    url: str = ""
    deployed_from: str = ""
    resources: Mapping[str, Resource] = field(default_factory=dict)
    running: str = ""
    """The version its hosts run; empty where nobody asked, or nothing is installed."""
    trouble: str = ""
    """Why it could not be read or asked."""


@click.command("list")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--offline", is_flag=True, help="Do not ask the hosts what they run.")
@click.option("--within", type=float, default=PATIENCE, show_default=True, metavar="SECONDS",
              help="How long all hosts together may take.")  # fmt: skip
@vault_option
@output_option
def list_(folder: Path, offline: bool, within: float, output: str) -> None:
    """List the environments below a folder: what they are for, whom to ask, what they run now."""
    if not folder.is_dir():
        raise InvalidInput(f"{folder}: no such folder", "name one that holds environments")
    found = [_read(place) for place in environments(folder)]
    if not offline:
        found = _asked(found, within)
    emit(found, _lines(found, offline=offline), output)


def environments(folder: Path, depth: int = DEEPEST) -> Iterator[Path]:
    """Yield the folders below one (and itself) that are instances or Ansible environments."""
    if (folder / INSTANCE).is_file() or _has_inventory(folder):
        yield folder
        return
    yield from inventories_in(folder)
    if depth:
        for below in _folders(folder):
            if not below.name.startswith(".") and below.name not in PASSED_OVER:
                yield from environments(below, depth - 1)


def _folders(folder: Path) -> list[Path]:
    """Return the folders in one; none where nobody may look."""
    with suppress(PermissionError):
        return sorted(p for p in folder.iterdir() if p.is_dir() and not p.is_symlink())
    return []


def _has_inventory(folder: Path) -> bool:
    """Say whether a folder is an environment itself, not only what several share."""
    inventory = usual_inventory(folder)
    extras = any((folder / name).is_file() for name in EXTRAS)
    return extras or (inventory is not None and inventory != folder)


def _read(place: Path) -> Listed:
    try:
        instance, _, lack = read_environment(place)
    except ChangeoverError as error:
        return Listed(str(place), place.resolve().name, trouble=error.message)
    return replace(described(instance, place), trouble=lack.message if lack else "")


def described(instance: Instance, place: Path) -> Listed:
    """Return what an instance says of itself."""
    url = next((e.url for e in instance.endpoints), "")
    return Listed(str(place), instance.name, instance.description, url, instance.deployed_from,
                  instance.resources)  # fmt: skip


def _asked(found: list[Listed], within: float) -> list[Listed]:
    """Ask all environments at once; whoever has not answered in time is said not to have."""
    answers: dict[str, Listed] = {}
    passwords = named_passwords()

    def ask(listed: Listed) -> None:
        answers[listed.folder] = _running(listed, Given(None, passwords))

    # Daemons: one that hangs must not keep the command from ending.
    threads = [threading.Thread(target=ask, args=(each,), daemon=True)
               for each in found if not each.trouble]  # fmt: skip
    for thread in threads:
        thread.start()
    end = time.monotonic() + within
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = f"no answer in {within:g} s"
    return [answers.get(e.folder) or replace(e, trouble=e.trouble or late) for e in found]


def _running(listed: Listed, given: Given) -> Listed:
    try:
        session = open_session(Path(listed.folder), given)
    except ChangeoverError as error:
        return replace(listed, trouble=error.message)
    try:
        return replace(listed, running=session.installed())
    except ChangeoverError as error:
        return replace(listed, trouble=session.masker.text(error.message))
    finally:
        session.close()


def _lines(found: Iterable[Listed], *, offline: bool) -> Iterator[str]:
    none = True
    for listed in found:
        none = False
        yield f"{strong(listed.name)}  {listed.description}".rstrip()
        rows = {"folder": listed.folder, "url": listed.url, "deployed from": listed.deployed_from}
        if not offline and not listed.trouble:
            rows["running"] = version(listed.running, "nothing")
        rows |= {kind: _resource(r) for kind, r in listed.resources.items()}
        for label, value in rows.items():
            if value:
                yield f"  {label:<14} {value}"
        if listed.trouble:
            yield f"  {bad('trouble')}        {listed.trouble}"
    if none:
        yield "no environment here: changeover env add"


def _resource(resource: Resource) -> str:
    said = ", ".join(filter(None, (resource.of, resource.where))) or "where is not known"
    return f"{said} {faint('ask: ' + resource.contact)}" if resource.contact else said
