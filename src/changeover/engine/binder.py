"""Turn a step of a release into an action for one host: the seam between data and plug-ins."""

from __future__ import annotations

from typing import Protocol

from changeover.actions.base import Action
from changeover.hosts.host import Host
from changeover.model.release import Condition, Release, Step


class Binder(Protocol):
    """Knows the releases, the instance's values and its secrets."""

    def release(self, version: str) -> Release:
        """Return a release of the route."""

    def action(self, version: str, step: Step, host: Host) -> Action:
        """Render a step's parameters for a host and make its action."""

    def holds(self, version: str, condition: Condition, host: Host) -> bool:
        """Say whether a `when` holds on a host."""


def undoable(action: Action, step: Step) -> bool:
    """Say whether an undo can pass over or take back a step with this action."""
    if step.undo != "action":
        return step.undo == "nothing"
    return action.harmless or action.refreshes or hasattr(action, "undo")
