"""Open an instance for a command, and tell who is at the keyboard."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from changeover.engine.order import UPGRADE
from changeover.engine.planner import Request
from changeover.engine.session import Session, open_session
from changeover.engine.store import Store
from changeover.errors import ChangeoverError, InvalidInstance


@dataclass(frozen=True)
class Asked:
    """What the options of a command say about where to go."""

    target: str | None = None
    procedure: str | None = None
    only: tuple[str, ...] = ()
    inputs: dict[str, str] = field(default_factory=dict)
    waived: dict[str, str] = field(default_factory=dict)


@contextmanager
def opened(folder: Path) -> Iterator[Session]:
    """Open an instance with its hosts and secrets; close the connections afterwards."""
    session = open_session(folder)
    try:
        yield session
    except ChangeoverError as error:
        error.hide(session.masker.text)
        raise
    finally:
        session.close()


def request_for(session: Session, asked: Asked) -> Request:
    """Say what the operator wants, with what is installed read from the hosts."""
    installed = session.installed()
    target = session.target(asked.target)
    inputs = session.answers(target, asked.inputs)
    procedure = asked.procedure or UPGRADE
    return Request(installed, target, procedure, inputs, asked.waived, asked.only)


def reading_store(folder: Path) -> Store:
    """Open the journal of an instance without its hosts or secrets."""
    named = os.environ.get("CHANGEOVER_STATE")
    if not named and not (folder / "instance.yaml").is_file():
        raise InvalidInstance(
            f"{folder}: is not an instance: it has no instance.yaml",
            "name one: -i FOLDER; or write one: changeover instance init FOLDER",
        )
    return Store(Path(named) if named else folder / ".changeover")


def operator_name() -> str:
    """Return who is at work: `SUDO_USER` where there is one, else the login."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
