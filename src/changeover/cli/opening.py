"""Open an instance with its hosts for a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from changeover.cli.options import given_words
from changeover.engine.order import UPGRADE
from changeover.engine.planner import Request
from changeover.engine.session import Session, open_session
from changeover.errors import ChangeoverError


@dataclass(frozen=True)
class Asked:
    """What the options of a command say about where to go."""

    target: str | None = None
    procedure: str | None = None
    only: tuple[str, ...] = ()
    inputs: dict[str, str] = field(default_factory=dict)
    waived: dict[str, str] = field(default_factory=dict)
    decided: dict[str, str] = field(default_factory=dict)
    """Answers to conflicts of configuration files."""


@contextmanager
def opened(folder: Path) -> Iterator[Session]:
    """Open an instance with its hosts and secrets; close the connections afterwards."""
    session = open_session(folder, given_words())
    try:
        yield session
    except ChangeoverError as error:
        error.hide(session.masker.text)
        raise
    finally:
        session.close()


def request_for(session: Session, asked: Asked) -> Request:
    """Say what the operator wants, with what is installed read from the hosts."""
    session.binder.decided = asked.decided
    installed = session.installed()
    target = session.target(asked.target)
    inputs = session.answers(target, asked.inputs)
    procedure = asked.procedure or UPGRADE
    return Request(installed, target, procedure, inputs, asked.waived, asked.only)
