"""Findings as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from changeover.model.findings import Finding, Severity
from changeover.views.phrasebook import said
from changeover.views.style import WIDTH, bad, careful, faint, good

_TAG = {
    Severity.PASS: ("[OK]", good),
    Severity.WARN: ("[WARN]", careful),
    Severity.FAIL: ("[FAIL]", bad),
    Severity.SKIP: ("[SKIP]", faint),
}


def finding_lines(findings: Sequence[Finding], waived: Mapping[str, str]) -> Iterator[str]:
    """Render findings with their verdicts at the right margin, remedies below them."""
    for finding in findings:
        tag, paint = _TAG[finding.severity]
        if finding.severity is Severity.FAIL and finding.name in waived:
            tag, paint = "[WAIVED]", careful
        where = f"{finding.host}: " if finding.host else ""
        first, *more = f"{where}{said(finding.message)}".split("\n")
        *head, last = _wrapped(first)
        yield from head
        yield last + " " * max(1, WIDTH - len(last) - len(tag)) + paint(tag)
        yield from (f"  {line}" for line in more)
        yield from _below(finding, waived)
    yield ""
    yield _closing(findings, waived)


def _below(finding: Finding, waived: Mapping[str, str]) -> Iterator[str]:
    if finding.severity not in (Severity.WARN, Severity.FAIL):
        return
    if finding.name in waived:
        yield faint(said(f"    accepted: {waived[finding.name]}"))
        return
    if finding.remedy:
        yield f"    → {said(finding.remedy)}"
    if finding.fix:
        yield faint("    → " + said("or let it be mended: changeover check --fix"))
    if finding.severity is Severity.FAIL and finding.name:
        yield faint(said(f"    (to go on all the same: --waive {finding.name}=REASON)"))


def _wrapped(text: str) -> list[str]:
    lines, room = [""], WIDTH - 10
    for word in text.split(" "):
        if len(lines[-1]) + len(word) > room and lines[-1]:
            lines.append("  ")
        lines[-1] += word if not lines[-1].strip() else f" {word}"
    return lines


def _closing(findings: Sequence[Finding], waived: Mapping[str, str]) -> str:
    count = {s: sum(f.severity is s for f in findings) for s in Severity}
    accepted = sum(f.severity is Severity.FAIL and f.name in waived for f in findings)
    failed = count[Severity.FAIL] - accepted
    counts = f"{count[Severity.PASS]} as they must be, {count[Severity.WARN]} to look at"
    if failed:
        return bad(said(f"Not ready: {failed} failed, {counts}."))
    return good(said(f"Ready: {counts}."))
