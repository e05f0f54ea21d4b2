"""Releases as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Protocol

from changeover.model.release import Phase, Release
from changeover.model.text import Text
from changeover.views.style import bad, careful, faint, rule, strong

_RANK = {phase: rank for rank, phase in enumerate(Phase)}


class Row(Protocol):
    """What a list of releases shows of each."""

    @property
    def product(self) -> str:
        """The product."""

    @property
    def version(self) -> str:
        """The version."""

    @property
    def origins(self) -> str:
        """From where one may come."""

    @property
    def impact(self) -> str:
        """What happens to the service."""

    @property
    def title(self) -> Text:
        """What it is called."""

    @property
    def withdrawn(self) -> Text:
        """Why it must not be used."""


def release_rows(releases: Sequence[Row], language: str) -> Iterator[str]:
    """Render a list of releases, oldest first."""
    if not releases:
        yield "There are no releases."
        return
    rows = [(r.product, r.version, r.origins or "any", r.impact) for r in releases]
    heads = ("product", "version", "from", "service")
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    yield strong("  ".join(h.ljust(w) for h, w in zip(heads, widths, strict=True)) + "  title")
    for release, row in zip(releases, rows, strict=True):
        line = "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True))
        title = release.title.to(language)
        gone = bad(f"withdrawn: {release.withdrawn.to(language)}") if release.withdrawn else ""
        yield f"{line}  {' '.join(filter(None, (title, gone)))}".rstrip()


def release_lines(release: Release, language: str) -> Iterator[str]:
    """Render one release: where one may come from, what it asks, what it does."""
    yield strong(f"{release.product} {release.version}  {release.title.to(language)}".rstrip())
    yield f"from {release.origins or 'any version'}; service: {release.impact}"
    yield faint(f"digest sha256:{release.digest}")
    if release.withdrawn:
        yield bad(f"withdrawn: {release.withdrawn.to(language)}")
    for stop in release.stops:
        yield f"stop: {stop.version}" + (" (on a condition)" if stop.when else "")
    for risk in release.risks:
        yield careful(f"risk {risk.id} ({risk.level}): {risk.text.to(language)}")
    for asked in release.inputs:
        default = "" if asked.default is None else f" [{asked.default}]"
        yield f"asks {asked.name}{default}: {asked.ask.to(language)}".rstrip(": ")
    for check in release.checks:
        yield f"checks {check.id}: {check.text.to(language) or check.use}"
    yield from _steps(release, language)
    for name, title in release.procedure_titles.items():
        yield f"procedure {name}: {title.to(language)}".rstrip(": ")


def _steps(release: Release, language: str) -> Iterator[str]:
    ordered = sorted(release.steps, key=lambda step: _RANK[step.phase])
    for phase, steps in groupby(ordered, key=lambda step: step.phase):
        yield rule(str(phase))
        for step in steps:
            end = "  (no way back)" if step.undo == "none" else ""
            yield f"  {step.id:<28} {step.use:<20} {step.title.to(language)}{end}".rstrip()
