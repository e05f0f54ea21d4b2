"""Look for everything that can be known to fail, all in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from changeover.engine.planner import Request
from changeover.engine.prober import unanswered
from changeover.engine.session import Session
from changeover.errors import ChangeoverError, InvalidInput, NoRoute, PreflightFailed
from changeover.hosts.command import command
from changeover.hosts.host import Host
from changeover.model.findings import Finding, Severity, blocking, failed, passed, warned
from changeover.model.instance import Endpoint
from changeover.model.plan import Plan
from changeover.model.release import Check, Release

LEAST_FREE_MIB = 200
"""Room this tool itself wants on a host for its journal and kept files."""


def examine(session: Session, request: Request) -> tuple[list[Finding], Plan | None]:
    """Return every finding, and the plan where one can be made."""
    findings = [*session.instance.remarks, *_each(session, _host_findings)]
    if any(f.severity is Severity.FAIL for f in findings):
        return _masked(session, findings), None
    try:
        route = session.route(request)
    except ChangeoverError as error:
        # What was mistyped is no finding about the environment.
        if isinstance(error, InvalidInput) and not isinstance(error, NoRoute):
            raise
        return _masked(session, [*findings, _as_finding(error, "route")]), None
    findings += _endpoint_findings(session)
    findings += _risk_findings(session, route, request)
    for release in route:
        for check in (c for c in release.checks if c.concerns(request.procedure)):
            findings += _check_findings(session, release, check)
    return _with_plan(session, request, findings)


def insist(findings: Sequence[Finding], waived: Iterable[str]) -> None:
    """Raise `PreflightFailed` where something failed that nobody waived."""
    left = blocking(findings, waived)
    if left:
        lines = [f"  {f.host + ': ' if f.host else ''}{f.message}" for f in left]
        raise PreflightFailed(
            "not ready:\n" + "\n".join(lines),
            "see the remedies: changeover check; accept one: --waive NAME=REASON",
        )


def _with_plan(
    session: Session, request: Request, findings: list[Finding]
) -> tuple[list[Finding], Plan | None]:
    reported: list[Finding] = []
    try:
        plan = session.plan(request, reported)
    except ChangeoverError as error:
        return _masked(session, [*findings, *reported, _as_finding(error, "plan")]), None
    findings += reported
    session.binder.keep_answers()
    if any(f.severity is Severity.FAIL for f in reported):
        return _masked(session, findings), None if blocking(reported, request.waived) else plan
    findings.append(passed(f"the plan can be made: {len(plan.steps)} steps"))
    return _masked(session, findings), plan


def _as_finding(error: ChangeoverError, name: str) -> Finding:
    return replace(failed(error.message, error.remedy), name=name)


def _masked(session: Session, findings: list[Finding]) -> list[Finding]:
    hide = session.masker.text
    return [replace(f, message=hide(f.message), remedy=hide(f.remedy)) for f in findings]


def _each(session: Session, ask: Callable[[Host], Iterator[Finding]]) -> Iterator[Finding]:
    def findings(host: Host) -> list[Finding]:
        try:
            return [replace(f, host=host.name, name=f.name or host.name) for f in ask(host)]
        except ChangeoverError as error:
            return [replace(_as_finding(error, f"host-{host.name}"), host="")]

    with ThreadPoolExecutor(max(1, min(len(session.hosts), 32))) as pool:
        for found in pool.map(findings, session.hosts.values()):
            yield from found


def _host_findings(host: Host) -> Iterator[Finding]:
    host.do(command("true"), timeout=30)
    yield passed("can be reached")
    yield _room(host)


def _room(host: Host) -> Finding:
    script = 'd=$1; while ! [ -d "$d" ]; do d=$(dirname "$d"); done; df -Pm "$d" | tail -n 1'
    fields = host.do(command("sh", "-c", script, "sh", host.state_dir)).split()
    free = int(fields[3])
    said = f"{free} MiB free for {host.state_dir}"
    if free < LEAST_FREE_MIB:
        remedy = f"make room on {fields[5]}, or name another `state_dir` for the host"
        return replace(failed(said, remedy), name=f"room-{host.name}")
    return passed(said)


def _endpoint_findings(session: Session) -> Iterator[Finding]:
    for endpoint in session.instance.endpoints:
        yield _endpoint_finding(endpoint, unanswered(endpoint, session.instance.folder))


def _endpoint_finding(endpoint: Endpoint, reason: str) -> Finding:
    if not reason:
        return passed(f"{endpoint.name} answers: {endpoint.url}")
    return warned(
        f"{endpoint.name} does not answer as expected: {reason}",
        "the downtime can only be measured from a platform that works",
    )


def _risk_findings(
    session: Session, route: Sequence[Release], request: Request
) -> Iterator[Finding]:
    holds = session.judge(request.target)
    for version, risk in session.hubs.risks(route, request.installed, holds):
        said = f"{version}: {risk.text.to(session.instance.language)}"
        yield replace(warned(said, "read the release's notes first"), name=risk.id)


def _check_findings(session: Session, release: Release, check: Check) -> Iterator[Finding]:
    for host in session.concerned(release, check.on, check.when):
        found = _ask(session, release, check, host)
        yield replace(found, name=check.id, host=host.name, fix=check.id if check.fix else "")


def _ask(session: Session, release: Release, check: Check, host: Host) -> Finding:
    language = session.instance.language
    text, remedy = check.text.to(language), check.remedy.to(language)
    try:
        action = session.binder.check(release.version, check, host)
        troubles = [f for f in action.check(host) if f.severity is Severity.FAIL]
        change = action.plan(host)
    except ChangeoverError as error:
        return failed(text or error.message, remedy or error.remedy)
    if not troubles and not change.needed:
        return passed(text or change.summary)
    said = troubles[0].message if troubles else change.summary
    wrong = f"{text}: {said}" if text else said
    mend = remedy or (troubles[0].remedy if troubles else "") or "see the release's notes"
    return warned(wrong, mend) if check.level == "warn" else failed(wrong, mend)
