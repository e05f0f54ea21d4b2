"""A program that does not run, or that starts, falls and starts again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from changeover.diagnoses.anatomy import Body, Program
from changeover.diagnoses.asked import (
    SPAN,
    TOO_SLOW,
    Questions,
    Replies,
    lately,
    log_of,
    sockets,
    supervisor_state,
    told_lines,
    unit_state,
)
from changeover.diagnoses.kind import Kind
from changeover.model.diagnosis import Fault, Mending
from changeover.tools import supervisorctl, systemctl

LOOP = 3
"""So many ends lately are a loop, even of a program that answers in between."""
USUAL = 10.0
"""Seconds within which a program that fell once usually falls again."""
RECENT = 20
"""Lines of a log in which the reason of the last crash is looked for."""
CRASHES = frozenset({"BACKOFF", "FATAL"})

# Numbers and names of errors, as runtimes print them in every language.
TAKEN = re.compile(r"\[Errno 98\]|\bEADDRINUSE\b|address already in use", re.IGNORECASE)
CAUSES = (
    (re.compile(r"\[Errno 28\]|\bENOSPC\b|No space left on device"), "disk *"),
    (re.compile(r"\[Errno 111\]|ECONNREFUSED|psycopg|asyncpg|sqlalchemy"), "database *"),
    (re.compile(r"Undefined(Column|Table)|\b42(703|P01)\b"), "schema*"),
)
"""What a log says -> the things whose faults then explain the crash."""


class ProgramKind(Kind):
    """Asks supervisor or systemd how each program is, and its log why."""

    def asks(self, body: Body) -> Questions:
        """Ask for states, logs, and what ended lately."""
        found = {**supervisor_state(body), **sockets(), **lately()}
        for one in body.programs:
            if one.is_unit:
                found[f"unit {one.name}"] = unit_state(one.name)
                found[f"log {one.name}"] = systemctl.last_lines(one.name)
            elif one.log:
                found[f"log {one.name}"] = log_of(one.log)
        return found

    def faults(self, body: Body, replies: Replies) -> Iterator[Fault]:
        """Programs that are down, or in a loop."""
        for one in body.programs:
            found = _unit_fault(one, replies) if one.is_unit else _fault(one, replies)
            if found:
                yield _addressed(found, body)


def _addressed(found: Fault, body: Body) -> Fault:
    """Have a mending speak to the supervisord that was asked."""
    mending, config = found.mending, body.supervisors[0].config if body.supervisors else ""
    if mending is None or not mending.use.startswith("supervisor.") or not config:
        return found
    return replace(found, mending=replace(mending, with_={**mending.with_, "config": config}))


def thing(one: Program) -> str:
    """Return what other faults call a program."""
    return f"program {one.name}"


def _fault(one: Program, replies: Replies) -> Fault | None:
    process = replies.processes.get(one.name)
    if process is not None:
        return _unwell(one, process, replies)
    if replies.of("supervisor").code == TOO_SLOW:
        return None
    if one.presumed:
        return None
    if replies.supervisor_replies:
        return Fault("program-unknown", thing(one), f"supervisor knows no program {one.name}",
                     remedy="supervisorctl reread; supervisorctl update")  # fmt: skip
    if one.port and one.port in replies.listeners:
        return None  # what supervisor started may outlive it
    return Fault("program-down", thing(one), f"{one.name} does not run",
                 remedy="comes up with supervisor", after=("supervisor",))  # fmt: skip


def _unwell(one: Program, process: supervisorctl.Process, replies: Replies) -> Fault | None:
    if process.state == "STOPPED":
        return _stopped(one, process, replies)  # by somebody, however it fell before
    ends = ends_of(one, replies)
    if process.state in CRASHES or _falls(one, process, ends, replies):
        return _crash(one, process.told, ends, replies)
    if process.state == "EXITED":
        return _stopped(one, process, replies)
    return None


def _stopped(one: Program, process: supervisorctl.Process, replies: Replies) -> Fault:
    word = "was stopped" if process.state == "STOPPED" else "ended and was not started again"
    return Fault(
        "program-down", thing(one), f"{one.name} {word}",
        (f"supervisor: {process.state} {process.told}".rstrip(), *_last(one, replies, 1)),
        f"supervisorctl start {one.name}",
        mending=Mending(f"start {one.name}", "supervisor.start", {"program": one.name}),
    )  # fmt: skip


def _crash(one: Program, told: str, ends: list[str], replies: Replies) -> Fault:
    log, state = replies.out(f"log {one.name}"), _state(one, replies)
    up = replies.serves(one) and state not in CRASHES
    said, remedy = _crash_words(one, log, replies)
    if up:
        said = f"{one.name} fell {len(ends)} times within {SPAN} s; it runs again"
    evidence = [f"supervisor: {told}"] if told and not told.startswith("pid") else []
    evidence += [f"{len(ends)} ends within {SPAN} s; the last: {ends[-1]}"] if ends else []
    causes = [pattern for found, pattern in CAUSES if found.search(log)]
    start = Mending(f"start {one.name}", "supervisor.start", {"program": one.name})
    return Fault(
        "crash-loop", thing(one), said, (*evidence, *_last(one, replies, 3)), remedy,
        after=tuple(causes), grave=not up, mending=start if state == "FATAL" else None,
    )  # fmt: skip


def _crash_words(one: Program, log: str, replies: Replies) -> tuple[str, str]:
    """Say what happens and what helps; a port that somebody else has is named with him."""
    if TAKEN.search("\n".join(told_lines(log, RECENT))) and one.port in replies.listeners:
        holder = replies.occupants.get(one.port, "another program")
        said = f"{one.name} cannot start: its port {one.port} is taken by {holder}"
        return said, f"end {holder}, then supervisorctl start {one.name}"
    remedy = f"correct what its log says ({one.log}), then supervisorctl restart {one.name}"
    return f"{one.name} crashes each time it is started", remedy


def _unit_fault(one: Program, replies: Replies) -> Fault | None:
    unit = replies.unit(f"unit {one.name}")
    state, restarts = unit.get("ActiveState", "unknown"), unit.get("NRestarts", "0")
    absent = unit.get("LoadState", "not-found") == "not-found"
    if state == "active" or (one.presumed and absent):
        return None
    if unit.get("SubState") == "auto-restart":
        said = f"{one.name} crashes each time it is started"
        evidence = (f"systemd started it anew {restarts} times", *_last(one, replies, 3))
        remedy = f"correct what its log says, then systemctl restart {one.name}"
        return Fault("crash-loop", thing(one), said, evidence, remedy, ("disk *", "database *"))
    return Fault(
        "program-down", thing(one), f"{one.name} does not run",
        (f"systemd: {state} ({unit.get('Result', '')})", *_last(one, replies, 2)),
        f"systemctl start {one.name}", after=("disk *",),
        mending=Mending(f"start {one.name}", "systemd.start", {"unit": one.name}),
    )  # fmt: skip


def _state(one: Program, replies: Replies) -> str:
    process = replies.processes.get(one.name)
    return process.state if process else ""


def ends_of(one: Program, replies: Replies) -> list[str]:
    """Return the lines of supervisor's log that tell of unwanted ends, lately."""
    since = replies.out("lately").strip()
    ended = re.compile(rf"exited: {re.escape(one.name)} \(.*not expected")
    lines = replies.out("supervisor log").splitlines()
    return [line for line in lines if line > since and ended.search(line)]


def _falls(one: Program, process: supervisorctl.Process, ends: list[str], replies: Replies) -> bool:
    """Whether it ended lately, and is not clearly up since."""
    answered = bool(one.port) and replies.serves(one)
    few = len(ends) < (LOOP if answered or not one.port else 1)
    return not few and not _settled(process, ends)


def _settled(process: supervisorctl.Process, ends: list[str]) -> bool:
    """Whether it has been up for clearly longer than it ever was between these ends."""
    times = [datetime.fromisoformat(line[:19]) for line in ends]
    longest = max([(b - a).total_seconds() for a, b in pairwise(times)], default=USUAL)
    up = re.search(r"uptime (?:(\d+) days?, )?(\d+):(\d\d):(\d\d)", process.told)
    if not up:
        return False
    days, hours, minutes, seconds = (int(n or 0) for n in up.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + seconds > 1.5 * longest + 1


def _last(one: Program, replies: Replies, most: int) -> tuple[str, ...]:
    lines = told_lines(replies.out(f"log {one.name}"), most)
    return tuple(f"its log: {line}" for line in lines)
