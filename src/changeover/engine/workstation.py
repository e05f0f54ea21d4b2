"""Procedures that work on the operator's own machine: no host of the instance is reached.

They have a journal of their own beside the instance's. What a colleague does on their machine is no
entry of the chain that all hosts of the instance share, and needs none of its locks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from changeover.engine.journal import Journal
from changeover.engine.order import steps_of
from changeover.engine.session import Session
from changeover.engine.store import Store
from changeover.errors import InvalidInput
from changeover.model.events import RunEnded
from changeover.model.instance import HostSpec
from changeover.model.release import Step
from changeover.model.state import replay

OPERATOR = "operator"
"""What steps write under `on:` to mean the machine the command is typed on."""


class Workstation(Session):
    """An instance as its operator's machine sees it."""

    run_prefix = f"{OPERATOR}-"

    def installed(self) -> str:
        """Return nothing: no host is asked."""
        return ""

    def record_installed(self, version: str) -> None:
        """Leave the hosts alone."""

    def same_version(self, found: str, wanted: str) -> bool:
        """Agree: nothing was installed or replaced."""
        return True


def works_here(steps: Sequence[Step], procedure: str) -> bool:
    """Say whether steps are all for the operator's machine; raise where only some are."""
    here = [step.on.name == OPERATOR for step in steps]
    if any(here) and not all(here):
        raise InvalidInput(
            f"procedure {procedure}: some steps are for the operator's machine and some are not",
            "make two procedures of it: changeover run ONE --then ANOTHER",
        )
    return bool(here) and all(here)


def workstation_of(session: Session) -> Workstation:
    """Return the instance of a session as this machine sees it, with a journal of its own."""
    store = Store(session.store.folder / OPERATOR)
    kept = str((store.folder / "host").absolute())
    # Its shell stands elsewhere: releases say what they mean by the folder of the operator.
    stands = {"cwd": str(Path.cwd())}
    here = HostSpec(OPERATOR, transport="local", roles=(OPERATOR,), state_dir=kept, vars=stands)
    alone = replace(session.instance, hosts={OPERATOR: here}, endpoints=(), site_steps=())
    made = Workstation(alone, session.secrets, session.masker, store)
    made.given = session.given
    return made


def is_here(session: Session, version: str, procedure: str) -> bool:
    """Say whether a procedure of a release works on this machine and no other."""
    release = session.release(version)
    if procedure not in release.procedures:
        return False
    return works_here(steps_of(release, procedure), procedure)


def leave_open_run(store: Store, by: str) -> None:
    """End a run of this machine that stopped: its steps find out themselves what is done."""
    for run in reversed(store.runs()):
        state = replay(store.entries(run))
        if state.started:
            if not state.stage.ended:
                Journal(store, run).append(RunEnded("aborted", by, "begun anew"))
            return
