"""Carrying out actions on real hosts, the way the engine does."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from changeover.actions.base import Action, Reversible
from changeover.actions.builtin import build
from changeover.hosts.connect import connect
from changeover.hosts.host import Host
from changeover.hosts.shadow import shadow_of
from changeover.model.instance import HostSpec
from changeover.model.plan import Change, Effect
from tests.servers.container import ContainerHost

_numbers = count()


def this_machine(state: Path) -> Host:
    """This machine as a host, whose state is in a folder of the test."""
    return connect(HostSpec("here", transport="local"), state_dir=str(state))


def acting(host: Host) -> Host:
    """The host as a new attempt of a step sees it."""
    return host.acting_for(f"run/step{next(_numbers)}/1", limit=None, silence=None)


def planned(use: str, host: Host, **params: Any) -> tuple[Action, Change]:
    """Build an action and plan it; foreseeing must not touch the host."""
    action = build(use, params)
    change = action.plan(host)
    shadow = shadow_of(host)
    action.foresee(shadow, action.plan(shadow))
    return action, change


def applied(use: str, host: Host, **params: Any) -> tuple[Action, Change]:
    """Plan, apply and verify an action; planning again must find nothing, or a run."""
    action, change = planned(use, host, **params)
    now = acting(host)
    if change.needed:
        action.apply(now, change)
        action.apply(now, change)  # as after a crash in its middle: safe to call again
    action.verify(now, change)
    assert action.plan(host).effect in (Effect.NONE, Effect.RUN)
    return action, change


def undone(action: Action, host: Host, change: Change) -> Change:
    """Undo an action, twice as after a crash; what is left must be nothing."""
    assert isinstance(action, Reversible)
    back = action.plan_undo(host, change)
    now = acting(host)
    action.undo(now, change)
    action.undo(now, change)
    assert not action.plan_undo(now, change).needed
    return back


def carried_out(action: Action, host: Host, change: Change) -> None:
    """Apply and verify, where one of them is to fail."""
    now = acting(host)
    action.apply(now, change)
    action.verify(now, change)


def behind(container: ContainerHost) -> Host:
    """A container with systemd and sshd as a host."""
    spec = HostSpec(container.name, ssh_config=str(container.config), user="root")
    return connect(spec, state_dir="/var/lib/changeover/test")
