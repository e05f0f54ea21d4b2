"""This machine as a host, and what a run does with an action there."""

from __future__ import annotations

import subprocess
from pathlib import Path

from changeover.actions.base import Action, Reversible
from changeover.actions.builtin import build
from changeover.hosts.host import Host
from changeover.model.plan import Change
from tests.actions.live import acting
from tests.actions.live import this_machine as reached

__all__ = ["build", "carried_out", "taken_back", "this_machine"]


def this_machine(folder: Path) -> Host:
    """This machine, as a new attempt of a step sees it; its state is in a folder of the test."""
    return acting(reached(folder / "state"))


def carried_out(host: Host, action: Action) -> Change:
    """Plan, apply and verify."""
    change = action.plan(host)
    if change.needed:
        action.apply(host, change)
    action.verify(host, change)
    return change


def taken_back(host: Host, action: Action, change: Change) -> None:
    """Undo twice, as a killed and resumed undo does; nothing may be left to undo."""
    assert isinstance(action, Reversible)
    action.undo(host, change)
    action.undo(host, change)
    left = action.plan_undo(host, change)
    assert not left.needed, left.summary


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@shop.example")
    asked = ["git", *identity, "-C", str(folder), *words]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, text: str) -> str:
    (folder / "version").write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", text)
    return git(folder, "rev-parse", "HEAD")
