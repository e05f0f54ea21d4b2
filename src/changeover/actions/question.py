"""Actions that only look: questions to a host whose answer must be right, at once or within a time.

They serve as steps, which await the outcome, and as checks of a release, which ask once: a check
passes when planning finds nothing left to do.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import ClassVar

from changeover.actions.base import Action
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.plan import Change, Effect

ASKED_LATER = "the question is asked again when its turn comes"

PAUSE = 0.2
"""Seconds between two looks at an outcome that is awaited."""


class NotSo(Exception):
    """The answer is not (yet) the wanted one: what it is instead."""


class Question(Action):
    """An action that changes nothing and fails unless something is so."""

    harmless: ClassVar[bool] = True

    @abstractmethod
    def wanted(self) -> str:
        """Say what must be so, after `make sure that`."""

    @abstractmethod
    def ask(self, host: Host) -> None:
        """Look once; raise `NotSo` with what was seen instead."""

    def patience(self) -> float:
        """Return the seconds to wait for the right answer; 0 asks once."""
        return 0.0

    def remedy(self) -> str:
        """Return what to do where the answer stays wrong."""
        return ""

    def plan(self, host: Host) -> Change:
        """Ask once: nothing is left to do where it is so already."""
        try:
            self.ask(host)
        except NotSo as answer:
            # What will be awaited is often far from so yet; that is no news in a plan.
            now = "" if self.patience() else f" (now: {answer})"
            summary = f"make sure that {self.wanted()}{now}"
            return Change(Effect.RUN, summary, unforeseen=ASKED_LATER)
        return Change(Effect.NONE, self.wanted(), unforeseen=ASKED_LATER)

    def apply(self, host: Host, change: Change) -> None:
        """Change nothing: `verify` asks."""

    def verify(self, host: Host, change: Change) -> None:
        """Ask until it is so, or the time is up; then raise `ActionFailed` with the last answer."""
        started = time.monotonic()
        while True:
            try:
                self.ask(host)
            except NotSo as answer:
                if time.monotonic() - started >= self.patience():
                    raise ActionFailed(self._sentence(host, answer), self.remedy()) from None
            else:
                return
            time.sleep(PAUSE)

    def _sentence(self, host: Host, answer: NotSo) -> str:
        waited = f" after {self.patience():g} s" if self.patience() else ""
        return f"{host.name}: not so{waited}: {self.wanted()}: {answer}"
