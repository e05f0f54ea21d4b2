"""Mend what the checks of a release know how to mend."""

from __future__ import annotations

from collections.abc import Sequence

from changeover.engine.planner import Request
from changeover.engine.session import Session
from changeover.model.findings import Finding, Severity


def fix_all(session: Session, request: Request, findings: Sequence[Finding]) -> list[str]:
    """Apply the fix of every failed check that has one; return what was done."""
    wanted = {(f.fix, f.host) for f in findings if f.fix and f.severity is not Severity.PASS}
    done = []
    for release in session.route(request):
        for check in release.checks:
            for host in session.concerned(release, check.on, check.when):
                if (check.id, host.name) in wanted:
                    done += session.mend(release, check, host)
    return done
