"""Supervisor itself: what keeps the programs running, down."""

from __future__ import annotations

from collections.abc import Iterator

from changeover.diagnoses.anatomy import Body, Supervisor
from changeover.diagnoses.asked import Questions, Replies, supervisor_state, told_lines
from changeover.diagnoses.kind import Kind
from changeover.model.diagnosis import Fault, Mending

NOT_INSTALLED = (126, 127)


class SupervisorKind(Kind):
    """Asks supervisord, and systemd about it."""

    def asks(self, body: Body) -> Questions:
        """Ask for its programs, its unit and its log."""
        return supervisor_state(body)

    def faults(self, body: Body, replies: Replies) -> Iterator[Fault]:
        """A supervisord that does not answer."""
        absent = replies.of("supervisor").code in NOT_INSTALLED
        for one in body.supervisors:
            if one.presumed and absent:
                continue
            if not replies.supervisor_replies:
                yield _fault(one, replies)


def _fault(one: Supervisor, replies: Replies) -> Fault:
    unit = replies.unit("supervisor unit")
    installed = unit.get("LoadState") == "loaded"
    if replies.of("supervisor").code in NOT_INSTALLED:
        said, remedy = "supervisor is not installed", "apt-get install supervisor"
        return Fault("supervisor-down", "supervisor", said, remedy=remedy)
    active = unit.get("ActiveState", "unknown")
    said = "supervisor does not answer" if active == "active" else "supervisor does not run"
    evidence = [f"{one.unit} is {active}"] if installed else []
    where = f"-c {one.config}" if one.config else ""
    start = Mending("start supervisor", "systemd.start", {"unit": one.unit})
    return Fault(
        "supervisor-down", "supervisor", said,
        (*evidence, *told_lines(replies.out("supervisor log"), 2)),
        f"systemctl start {one.unit}" if installed else f"supervisord {where}".strip(),
        after=("disk *",),
        mending=start if installed and active in ("inactive", "failed") else None,
    )  # fmt: skip
