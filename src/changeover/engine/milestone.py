"""What a route needs to know of a release, and what stands against one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from changeover.model.release import Condition, Risk, Stop
from changeover.model.text import Text
from changeover.sources.when import asks_host, mentions_installed

Holds = Callable[[Condition, str], bool]
"""Says whether a condition holds when a version is there before."""


class Milestone(Protocol):
    """A release on a route; both a whole one and a listed one tell all of this."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def origins(self) -> str:
        """From which versions one may come."""

    @property
    def stops(self) -> tuple[Stop, ...]:
        """Which releases must not be jumped on the way."""

    @property
    def withdrawn(self) -> Text:
        """Why it must not be used."""

    @property
    def risks(self) -> tuple[Risk, ...]:
        """What may stand against it."""

    @property
    def deploys(self) -> str:
        """The input with the reference it deploys."""


def against(release: Milestone, installed: str, holds: Holds, *, ask: bool = True) -> str:
    """Return why a release must not be used, wherever one comes from; empty if it may.

    Without `ask`, risks that only a host can tell are passed over: a hub has hundreds of releases,
    and only those on a route are worth a question.
    """
    if release.withdrawn:
        return f"withdrawn: {release.withdrawn.to('en')}"
    for risk in release.risks:
        if risk.level != "block" or mentions_installed(risk.when):
            continue
        if (ask or not asks_host(risk.when)) and holds(risk.when, installed):
            return f"blocked by the risk {risk.id}: {risk.text.to('en')}"
    return ""


def guards(release: Milestone) -> tuple[Risk, ...]:
    """Return the blocking risks that depend on where one comes from."""
    return tuple(r for r in release.risks if r.level == "block" and mentions_installed(r.when))
