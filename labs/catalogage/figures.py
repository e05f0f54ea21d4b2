"""The figures of a run, read from its journal, beside what the users counted themselves."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from labs.catalogage.traffic import Report

CHANGEOVER = Path(sys.executable).with_name("changeover")


@dataclass(frozen=True)
class Figures:
    """One run."""

    title: str
    steps: int
    began: float
    """Seconds since the epoch."""
    ended: float


def figures_of(title: str, instance: Path, environment: Mapping[str, str]) -> Figures:
    """The figures of the instance's last run."""
    done = subprocess.run(
        [str(CHANGEOVER), "-i", str(instance), "watch", "-o", "json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return summed(title, [json.loads(line) for line in done.stdout.splitlines()])


def summed(title: str, entries: Sequence[Mapping[str, Any]]) -> Figures:
    """Count the steps of one run, forward and back, and take its time."""
    steps = sum(entry["event"] == "StepDone" for entry in entries)
    times = [datetime.fromisoformat(entry["at"]).timestamp() for entry in entries]
    return Figures(title, steps, min(times), max(times))


def table(runs: Sequence[Figures], report: Report) -> Iterator[str]:
    """A line per run with what users saw of it, then their totals."""
    yield f"{'':<38}{'steps':>7}{'time':>10}{'downtime':>12}{'requests failed':>18}"
    for run in runs:
        seen = report.between(run.began, run.ended)
        yield (
            f"{run.title:<38}{run.steps:>7}{run.ended - run.began:>8.1f} s"
            f"{seen.outage:>10.1f} s{len(seen.failures):>18}"
        )
    share = 100 * len(report.failures) / max(report.requests, 1)
    yield ""
    yield (
        f"users: {report.requests} requests in {report.seconds:.0f} s,"
        f" {len(report.failures)} failed ({share:.1f} %)"
    )
