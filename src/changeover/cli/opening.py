"""Open an instance with its hosts for a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from changeover.cli.options import given_words
from changeover.engine.order import UPGRADE
from changeover.engine.planner import Request
from changeover.engine.session import Session, open_session
from changeover.engine.workstation import OPERATOR, is_here, workstation_of
from changeover.errors import ChangeoverError
from changeover.instances.ansible.vault import VaultLocked
from changeover.instances.given import recall_given
from changeover.instances.place import state_folder
from changeover.views.phrasebook import speak


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
def opened(folder: Path, run: str | None = None, asked: Asked | None = None) -> Iterator[Session]:
    """Open an instance with its hosts and secrets; close the connections afterwards.

    What works on the operator's own machine reaches no host: a run is told by its first word, a
    procedure by its steps.
    """
    outer = session = _session(folder, run, asked)
    speak(session.instance.language)
    try:
        if (run or "").startswith(OPERATOR) or (
            asked and asked.procedure and _here(session, asked)
        ):
            session = workstation_of(session)
        yield session
    except ChangeoverError as error:
        error.hide(session.masker.text)
        raise
    finally:
        session.close()
        if outer is not session:
            outer.close()


def _session(folder: Path, run: str | None, asked: Asked | None) -> Session:
    """Open a session; without a vault's password where nothing but this machine is concerned."""
    try:
        return open_session(folder, given_words())
    except VaultLocked:
        given = replace(given_words() or recall_given(state_folder(folder)), locked=True)
        session = open_session(folder, replace(given, incomplete=True))
        with ExitStack() as unless_here:
            unless_here.callback(session.close)
            here = (run or "").startswith(OPERATOR)
            if here or (asked and asked.procedure and _here(session, asked)):
                unless_here.pop_all()
                return session
        raise


def _here(session: Session, asked: Asked) -> bool:
    return is_here(session, session.target(asked.target), asked.procedure or "")


def request_for(session: Session, asked: Asked) -> Request:
    """Say what the operator wants, with what is installed read from the hosts."""
    session.binder.decided = asked.decided
    # What was mistyped is said before a host is asked.
    target = session.target(asked.target)
    inputs = session.inputs(target, asked.inputs)
    installed = session.installed()
    procedure = asked.procedure or UPGRADE
    return Request(installed, target, procedure, inputs, asked.waived, asked.only)
