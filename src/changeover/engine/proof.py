"""Show that an instance works: what is installed is read, and what answered before answers."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator

from changeover.engine.prober import unanswered
from changeover.engine.session import Session
from changeover.errors import ActionFailed
from changeover.model.instance import Endpoint

WITHIN = 30.0
"""Seconds in which an endpoint must answer again."""


def prove(session: Session, version: str, answering: Collection[str]) -> Iterator[str]:
    """Yield what was observed; raise `ActionFailed` where it is not as it must be.

    `answering` names the endpoints that must answer.
    """
    found = session.installed()
    if not session.same_version(found, version):
        raise ActionFailed(
            f"the hosts say {found or 'nothing'} is installed, not {version or 'nothing'}",
            "look at the probe of the release: changeover release show",
        )
    if found:
        yield f"installed: {found}"
    for endpoint in session.instance.endpoints:
        if endpoint.name in answering:
            yield from _answering(session, endpoint)


def _answering(session: Session, endpoint: Endpoint) -> Iterator[str]:
    until = time.monotonic() + WITHIN
    while reason := unanswered(endpoint, session.instance.folder):
        if time.monotonic() > until:
            raise ActionFailed(
                f"{endpoint.name} ({endpoint.url}) does not answer as expected: {reason}",
                "it answered before; look with: changeover logs, or go back: changeover undo",
            )
        time.sleep(0.1)
    yield f"{endpoint.name} answers: {endpoint.url}"
