"""Examine one host: all questions at once, then what the answers give reason to ask."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from changeover.diagnoses.anatomy import Body, Clock
from changeover.diagnoses.asked import Questions, Replies
from changeover.diagnoses.kind import Kind
from changeover.hosts.command import Completed
from changeover.hosts.host import Host
from changeover.model.diagnosis import Examined, Fault
from changeover.tools.batch import batch, parse_batch

LIMIT = 30.0
"""Seconds for all answers of a host together."""


def examine(host: Host, body: Body, kinds: Sequence[Kind]) -> tuple[Examined, list[Fault]]:
    """Return what was looked at on a host and what is wrong there; change nothing."""
    began = time.monotonic()
    questions: Questions = {}
    for kind in kinds:
        questions |= kind.asks(body)
    before = time.time()
    found = _asked(host, questions)
    # Questions start at once: the host's clock was read soon after they were sent.
    body = replace(body, clock=Clock(before))
    further: Questions = {}
    for kind in kinds:
        further |= kind.asks_further(body, Replies(found))
    if further:
        found = {**found, **_asked(host, further)}
    replies = Replies(found)
    faults = [replace(f, host=host.name) for kind in kinds for f in kind.faults(body, replies)]
    deployed = tuple(
        f"{one.folder}: {said}"
        for one in body.checkouts
        if (said := replies.out(f"commit {one.folder}").strip())
    )
    seconds = round(time.monotonic() - began, 2)
    return Examined(host.name, body.things, deployed, seconds), faults


def _asked(host: Host, questions: Questions) -> dict[str, Completed]:
    done = host.ask(batch(questions), timeout=LIMIT)
    return parse_batch(questions, done.stdout)
