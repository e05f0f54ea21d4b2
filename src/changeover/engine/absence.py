"""Going on without a host that cannot be reached: its steps wait until it is back (ADR 0005)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from changeover.errors import ChangeoverError, NotReady
from changeover.model.plan import Plan, PlannedStep
from changeover.model.state import RunState


class LeftOut(ChangeoverError):
    """All that could be done is done; the rest waits for hosts that were left out."""

    exit_code = 7


def waiting(
    steps: Iterable[PlannedStep], away: Collection[str], state: RunState
) -> list[PlannedStep]:
    """Return the steps that are still to be done on hosts that are left out."""
    return [s for s in steps if s.host in away and not state.of(s.key).settled]


def refuse_alone(rest: Sequence[PlannedStep], plan: Plan, away: Collection[str]) -> None:
    """Raise `NotReady` where a host is left out that does a step for all: others build on it."""
    shared = {(s.release, s.step.id) for s in plan.steps if s.host not in away}
    alone = [s for s in rest if (s.release, s.step.id) not in shared]
    if alone:
        names = ", ".join(s.key for s in alone[:3])
        more = f" and {len(alone) - 3} more" if len(alone) > 3 else ""
        hosts = ", ".join(dict.fromkeys(s.host for s in alone))
        raise NotReady(
            f"--without {hosts}: no other host does {names}{more}, and the rest counts on it",
            f"bring {hosts} back; then: changeover resume",
        )


def refuse_other_machine(state: RunState, store: str) -> None:
    """Raise `NotReady` where another machine had the run last: it may be at work on what is away.

    Its locks are on all hosts; whoever holds only some could work beside it.
    """
    if state.store not in ("", store):
        raise NotReady(
            "another machine went on with this run last: it may still reach the host",
            "go on there, or take it over once all hosts answer: changeover takeover",
        )


def told(rest: Sequence[PlannedStep], away: Collection[str], before: str = "") -> LeftOut:
    """Return what ends a command once everything but this is done.

    `before` is the release that waits as a whole: it is planned on all hosts.
    """
    hosts = ", ".join(dict.fromkeys(step.host for step in rest)) or ", ".join(sorted(away))
    count = f"{len(rest)} step{'s' * (len(rest) != 1)}"
    what = before or (f"{count}, the first is {rest[0].key}," if rest else "")
    return LeftOut(
        f"{hosts}: was left out: {what} still to be done",
        "keep users away from it; when it is back: changeover resume",
    )
