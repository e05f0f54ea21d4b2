"""Deployments over SSH beside an Ansible playbook in the order of tasks of the platform's manual.

    .venv/bin/python -m bench.deployment [--rounds 3] [--until 1.5.0] [--local] [--journals FOLDER]

Each side gets a new host with the data catalogue at its first release, twenty requests a second
of users, and the same deployments one after the other. The engine's own prober watches both sides
from outside; sides take turns, medians. Hosts are containers with systemd (`--local`: the lab of
this machine behind its sshd). `--journals` keeps ours, to see where the time goes.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from labs.catalogage.site import Site
from labs.catalogage.traffic import Report, Traffic
from tests.servers.program import await_outcome

from bench.deployment_sides import CHANGEOVER, SIDES, Case, Ground, Ours, Side, ground
from bench.hosts import installed
from changeover.engine.prober import Prober
from changeover.model import events as ev
from changeover.model.instance import Endpoint

GOAL = 1 / 5
PATIENCE = 60.0

CASES = (
    Case("code alone", "1.1.0", compatible=True),
    Case("a slow migration", "1.2.0"),
    Case("two migrations, a setting renamed", "1.4.1"),
    Case("a compatible migration", "1.5.0", compatible=True),
)


@dataclass(frozen=True)
class Seen:
    """What one deployment cost."""

    seconds: float
    """Until the command ended and users got the release."""
    downtime: float
    """Seconds the worse endpoint did not answer as expected."""
    probes: int
    """Requests of the prober that failed."""
    users: int
    """Requests of users that failed, those that write among them."""
    outage: float
    """Seconds from the first to the last failed request of a user."""


def measured(side: Side, place: Ground, case: Case) -> Seen:
    """Deploy with the prober and users on the platform."""
    told: list[ev.Event] = []
    lab = place.lab
    users = Traffic(place.site.url, str(lab.authority)).start()
    with Prober(endpoints(place.site), lab.folder, told.append):
        time.sleep(1)  # what is broken before must show
        started = time.monotonic()
        side.deploy(case)
        arrived = await_outcome(lambda: serves(place.site, case.ref), PATIENCE)
        took = time.monotonic() - started
        time.sleep(2)  # as must what breaks after
    report = users.stop()
    lost = users.lost(report.acknowledged)
    if not arrived or lost:
        raise SystemExit(f"{case.ref}: {len(lost)} rows lost, served: {arrived}")
    return seen(took, told, report)


def endpoints(site: Site) -> tuple[Endpoint, ...]:
    """What our instance has as endpoints."""
    authority = str(site.authority)
    return (
        Endpoint("pages", f"{site.url}/", contains="Catalogue", ca=authority),
        Endpoint("api", f"{site.url}/api/health/", contains='"status":"ok"', ca=authority),
    )


def serves(site: Site, version: str) -> bool:
    """Whether pages and API are of this release."""
    try:
        return site.health()["version"] == version and f"Catalogue {version}" in site.page()
    except OSError:
        return False


def seen(seconds: float, told: list[ev.Event], report: Report) -> Seen:
    """Sum up one deployment."""
    watched = [event for event in told if isinstance(event, ev.Watched)]
    return Seen(
        seconds,
        max(one.downtime for one in watched),
        sum(one.failed for one in watched),
        len(report.failures),
        report.outage,
    )


def median(found: list[Seen]) -> Seen:
    """The medians of the rounds, figure by figure."""
    names = Seen.__dataclass_fields__
    return Seen(**{name: statistics.median(getattr(one, name) for one in found) for name in names})


def shown(case: Case, ours: Seen, peer: Seen) -> bool:
    """Print one case; gives whether the goal was met."""
    print(f"{case.title} (to {case.ref})")
    print(f"  {'':<12}{'total':>9}{'downtime':>11}{'probes':>9}{'users':>8}{'outage':>10}   failed")
    for name, one in (("changeover", ours), ("ansible", peer)):
        print(
            f"  {name:<12}{one.seconds:>7.1f} s{one.downtime:>9.2f} s{one.probes:>9.0f}"
            f"{one.users:>8.0f}{one.outage:>8.2f} s"
        )
    ratio = ours.downtime / peer.downtime if peer.downtime else float(ours.downtime > 0)
    print(
        f"  ours is {ours.seconds / peer.seconds:.2f} of its time,"
        f" {ratio:.2f} of its downtime (goal {GOAL:.2f})"
    )
    return ratio <= GOAL


def main() -> None:
    """Measure; exit code 1 where a goal was not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--local", action="store_true")
    parser.add_argument("--until", default=CASES[-1].ref, choices=[case.ref for case in CASES])
    parser.add_argument("--journals", type=Path, help="keep the journals of our side here")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the hosts go all the same
    installed()
    cases = CASES[: [case.ref for case in CASES].index(asked.until) + 1]
    found: dict[tuple[str, str], list[Seen]] = {}
    for number in range(asked.rounds):
        for name, side in SIDES.items():
            with ground(asked.local) as place:
                deploying = side(place)
                for case in cases:
                    one = measured(deploying, place, case)
                    found.setdefault((name, case.ref), []).append(one)
                    print(f"  round {number + 1}: {name} to {case.ref}: {one}", file=sys.stderr)
                keep(deploying, asked.journals, number)
    met = [
        shown(case, *(median(found[name, case.ref]) for name in ("changeover", "ansible")))
        for case in cases
    ]
    raise SystemExit(0 if all(met) else 1)


def keep(side: Side, folder: Path | None, number: int) -> None:
    """Export the journal of our side."""
    if folder and isinstance(side, Ours):
        folder.mkdir(parents=True, exist_ok=True)
        words = [str(CHANGEOVER), "-i", str(side.instance), "audit", "export"]
        done = subprocess.run(words, capture_output=True, check=True)
        (folder / f"{number + 1}.jsonl").write_bytes(done.stdout)


if __name__ == "__main__":
    main()
