"""Options and opening that the commands about a release's files share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from changeover.cli.files.configured import Configured, configured_files
from changeover.cli.files.place import Place, hosts_option, place_of
from changeover.cli.opening import Asked, request_for
from changeover.cli.options import decide_option, instance_option, output_option, set_option
from changeover.engine.planner import Request
from changeover.engine.session import Session
from changeover.errors import InvalidInput, InvalidInstance
from changeover.model.release import Release


@dataclass
class Opened:
    """An instance with the files of one release on its hosts."""

    place: Place
    session: Session
    release: Release
    files: list[Configured]
    request: Request
    """The way from the installed release to this one."""

    def masked(self, line: str) -> str:
        """Return a line without known secrets."""
        return self.place.masker.text(line)


def release_files(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `files`, `target`, `hosts`, `inputs`, `decided`, `instance` and `output`."""
    for option in (
        click.argument("files", nargs=-1, metavar="[FILE]..."),
        click.option("--to", "target", metavar="VERSION", help="Whose references [the latest's]."),
        set_option,
        decide_option,
        hosts_option,
        instance_option,
        output_option,
    ):
        command = option(command)
    return command


@contextmanager
def opened_files(
    instance: Path, files: tuple[str, ...], hosts: tuple[str, ...], *, to_installed: bool = False,
    awaited: bool = False, **asked: Any,
) -> Iterator[Opened]:  # fmt: skip
    """Open an instance and find the files a release merges: their paths or names, or all.

    With `to_installed`, the release is the installed one unless another is named; with `awaited`,
    there are also the files that only what happens in a run lets it merge.
    """
    with place_of(instance, hosts) as place:
        if place.session is None:
            raise InvalidInstance(
                "no instance is named: these files are a release's",
                "-i FOLDER; without one: changeover files pending",
            )
        session = place.session
        if to_installed and asked.get("target") is None:
            asked["target"] = _installed(session)
        request = request_for(session, Asked(**asked))
        session.binder.answering(request.inputs, request.installed)
        release = session.release(request.target)
        found = configured_files(session, release, place.hosts, files, awaited=awaited)
        yield Opened(place, session, release, found, request)


def _installed(session: Session) -> str:
    installed = session.installed()
    try:
        return session.target(installed or None)
    except InvalidInput as error:
        said = f"version {installed} is installed, and no hub has it"
        raise InvalidInput(said, "--to VERSION, or add its hub") from error
