"""A diagnosis as lines for people: each chain once, from its root to what users see."""

from __future__ import annotations

from collections.abc import Iterator

from changeover.model.diagnosis import Diagnosis, Examined, Told
from changeover.views.phrasebook import said
from changeover.views.style import bad, careful, faint, good, strong, wrapped

STEP = 2
"""Columns a consequence stands further in than its cause."""


def diagnosis_lines(diagnosis: Diagnosis) -> Iterator[str]:
    """Render what was looked at, then every fault with its evidence and remedy."""
    for host in diagnosis.hosts:
        yield from _host_lines(host)
    for told in diagnosis.findings:
        if not told.depth:
            yield ""
        yield from _fault_lines(told)
    yield ""
    yield _closing(diagnosis)


def _host_lines(host: Examined) -> Iterator[str]:
    many = f"{len(host.looked_at)} things looked at in {host.seconds:.1f} s"
    yield f"{strong(host.host)}: {said(many if host.looked_at else 'not examined')}"
    for commit in host.deployed:
        yield faint(said(f"  deployed: {commit}"))


def _fault_lines(told: Told) -> Iterator[str]:
    fault, margin = told.fault, " " * (STEP * told.depth)
    paint = bad if fault.grave else careful
    where = f"{fault.host}: " if fault.host and not told.depth else ""
    mark = "↳ " if told.depth else ("✗ " if fault.grave else "! ")
    first, *rest = wrapped(where + said(fault.what), len(margin) + 2)
    yield margin + paint(mark + first)
    yield from (f"{margin}  {paint(line)}" for line in rest)
    for line in fault.evidence:
        yield from (faint(f"{margin}    {piece}") for piece in wrapped(said(line), len(margin) + 4))
    if fault.remedy:
        head, *tail = wrapped(said(fault.remedy), len(margin) + 6)
        yield f"{margin}    → {head}"
        yield from (f"{margin}      {line}" for line in tail)
    if fault.mending and not told.depth:
        would = said(f"changeover doctor --fix would: {fault.mending.title}")
        yield faint(f"{margin}    → {would}")


def _closing(diagnosis: Diagnosis) -> str:
    if not diagnosis.findings:
        return good(said("Nothing is wrong."))
    roots = sum(not told.depth for told in diagnosis.findings)
    more = len(diagnosis.findings) - roots
    counts = f"{roots} cause{'s' * (roots != 1)}"
    counts += f", {more} consequence{'s' * (more != 1)}" if more else ""
    if diagnosis.broken:
        return bad(said(f"Broken: {counts}."))
    return careful(said(f"It works; to look at: {counts}."))
