"""Copies of images beside skopeo, crane and regsync: whole processes, interleaved, medians.

    .venv/bin/python -m bench.images [--rounds 5] [--only cold,again,export,import,tags,large,tls]

Two registries (docker-registry) on this machine. Needs skopeo; crane and regsync are built into
`.bench/` where there is a Go toolchain.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from labs.images.registries import Address, Registry, registry

from bench.images_peers import CHANGEOVER, Commands, Place, Programs
from changeover.sources.oci import sample
from changeover.sources.oci.client import Client, Settings

ROOT = Path(__file__).resolve().parent.parent
IMAGES, LAYER, TAGS = 20, 8 << 20, 200
ROOM = 6 << 30
"""Bytes the largest case needs in the temporary folder."""
MEMORY, CPU = 48.0, 1.0


@dataclass(frozen=True)
class Measured:
    """One run of a program, or the medians of several; memory is the most."""

    wall: float
    cpu: float
    mib: float


@dataclass(frozen=True)
class Case:
    """Something every program can do, and how each is told to."""

    name: str
    commands: Commands
    reset: Callable[[], None]
    goals: dict[str, float] = field(default_factory=dict)
    """Peer -> the ratio ours must not exceed; `seconds`, `cpu` and `mib` are ours alone."""


def measured(commands: list[list[str]]) -> Measured:
    """Run commands one after the other; CPU and memory are the programs' own."""
    began, cpu, most = time.monotonic(), 0.0, 0
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    for command in commands:
        with tempfile.TemporaryFile() as said:
            program = subprocess.Popen(command, stdout=said, stderr=said, env=env)
            _, status, usage = os.wait4(program.pid, 0)
            program.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            assert program.returncode == 0, f"{command}: {said.read()[-2000:].decode()}"
        cpu += usage.ru_utime + usage.ru_stime
        most = max(most, usage.ru_maxrss)
    return Measured(time.monotonic() - began, cpu, most / 1024)


def run(case: Case, rounds: int) -> dict[str, Measured]:
    """Run every program of a case in turn, `rounds` times; return medians."""
    runs: dict[str, list[Measured]] = {name: [] for name in case.commands}
    for turn in range(rounds):
        names = list(case.commands)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            case.reset()
            runs[name].append(measured(case.commands[name]))
    return {
        name: Measured(
            statistics.median(m.wall for m in found),
            statistics.median(m.cpu for m in found),
            max(m.mib for m in found),
        )
        for name, found in runs.items()
    }


def filled(source: Address, images: int) -> None:
    """Push images of five layers, two of them shared by all."""
    with Client(Settings(source.network)) as client:
        target = client.registry(source.host)
        common = [sample.layer(n, LAYER) for n in range(2)]
        for number in range(images):
            own = [sample.layer(1000 + 10 * number + n, LAYER) for n in range(3)]
            sample.push(target, f"bench/image-{number:02}", "1.0", sample.image(common + own))


def tagged(source: Address, tags: int) -> None:
    """Push many tags of few small layers each into one repository."""
    with Client(Settings(source.network)) as client:
        target = client.registry(source.host)
        common = [sample.layer(5000 + n, 4096) for n in range(4)]
        for number in range(tags):
            own = sample.layer(6000 + number, 4096)
            sample.push(target, "bench/tags", f"v{number}", sample.image([*common, own]))


def filled_large(source: Address) -> None:
    """Push one layer of 2 GB."""
    with Client(Settings(source.network)) as client:
        target = client.registry(source.host)
        sample.push(target, "bench/large", "1.0", sample.image([sample.layer(9, 1 << 31)]))


def apart(work: Callable[..., None], source: Registry, *more: int) -> None:
    """Do it in a process of its own: a program inherits the memory peak of who starts it."""
    process = get_context("spawn").Process(target=work, args=(source.address, *more))
    process.start()
    process.join()
    assert process.exitcode == 0


class Bench:
    """Two registries and the cases."""

    def __init__(self, folder: Path, source: Registry, target: Registry) -> None:
        self.folder, self.source, self.target = folder, source, target
        self.names = [f"bench/image-{n:02}" for n in range(IMAGES)]
        places = (Place(r.host, r.authority) for r in (source, target))
        self.programs = Programs(folder, *places)

    def cold(self) -> Case:
        """Copy all images to an empty registry."""
        goals = {"skopeo sync": 0.65, "regsync": 0.7, "cpu": CPU, "mib": MEMORY}
        return Case("cold", self._copies(), self.target.emptied, goals)

    def cold_tls(self) -> Case:
        """The same with TLS on both ends: shown, without a goal."""
        return Case("cold, TLS", self._copies(), self.target.emptied)

    def again(self) -> Case:
        """Copy them once more: there is nothing to do, and ours asks for every blob."""
        commands = self._copies()
        measured(commands["changeover"])
        return Case("nothing to do", commands, lambda: None, {"seconds": 0.3})

    def tags(self) -> Case:
        """Ask for many tags of one repository when all are there."""
        apart(tagged, self.source, TAGS)
        names = {"bench/tags": [f"v{n}" for n in range(TAGS)]}
        to = f"docker://{self.target.host}/mirror"
        commands = {
            "changeover": [self.programs.ours(names, to)],
            "skopeo sync": [self.programs.sync(names)],
        }
        measured(commands["changeover"])
        return Case(f"{TAGS} tags again", commands, lambda: None, {"skopeo sync": 1.0})

    def export(self) -> Case:
        """Write all images into one layout: checked, synced, renamed."""
        folder = self.folder / "layout"

        def emptied() -> None:
            shutil.rmtree(folder, ignore_errors=True)
            for name in self.names:
                (folder / name).mkdir(parents=True)

        goals = {"skopeo copy": 0.5}
        return Case("export", self.programs.exports(self.names, folder), emptied, goals)

    def brought_in(self) -> Case:
        """Copy from a layout into an empty registry."""
        layout = self.folder / "in"
        measured([self.programs.ours({n: ["1.0"] for n in self.names}, f"oci:{layout}")])
        commands = self.programs.imports(self.names, layout)
        return Case("layout to registry", commands, self.target.emptied, {"skopeo copy": 0.7})

    def large(self) -> Case:
        """Copy one layer of 2 GB: memory must stay flat."""
        apart(filled_large, self.source)
        to = f"docker://{self.target.host}/mirror/large:1.0"
        ours = [*CHANGEOVER, "copy", f"{self.source.host}/bench/large:1.0", to]
        commands = {"changeover": [[*ours, *self.programs.reach]]}
        return Case("one layer of 2 GB", commands, self.target.emptied, {"mib": MEMORY})

    def _copies(self) -> Commands:
        return self.programs.copies({n: ["1.0"] for n in self.names})


@contextmanager
def bench(*, tls: bool = False) -> Iterator[Bench]:
    """Start both registries, the source filled."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-images-")))
        source = stack.enter_context(registry(folder / "source", tls=tls))
        target = stack.enter_context(registry(folder / "target", tls=tls))
        apart(filled, source, IMAGES)
        yield Bench(folder, source, target)


def shown(case: Case, found: dict[str, Measured]) -> None:
    """Print one case: seconds, the programs' own CPU, memory, our ratio to each peer, the goals."""
    ours = found["changeover"]
    own = {"seconds": ours.wall, "cpu": ours.cpu, "mib": ours.mib}
    known = [n for n in case.goals if n in own or n in found]
    reached = {n: own.get(n) or ours.wall / found[n].wall for n in known}
    for name, m in found.items():
        ratio = "" if name == "changeover" else f"  ours is {ours.wall / m.wall:.2f} of it"
        line = f"{case.name:<19} {name:<12} {m.wall:6.2f} s  cpu {m.cpu:5.2f} s  {m.mib:4.0f} MiB"
        print(line + ratio, flush=True)
    for name, value in reached.items():
        verdict = "met" if value <= case.goals[name] else "MISSED"
        print(f"{'':<19} goal {name} ≤ {case.goals[name]:g}: {value:.2f}, {verdict}", flush=True)


def main() -> int:
    """Run the cases that were asked for; 1 where a program is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of the copies; others have three")
    parser.add_argument("--only", default="cold,again,export,import,tags,large,tls")
    given = parser.parse_args()
    missing = [p for p in ("skopeo", "docker-registry") if shutil.which(p) is None]
    if missing:
        print(f"not measured: install {', '.join(missing)}")
        return 1
    few = min(3, given.rounds)
    wanted = set(given.only.split(","))
    began = time.monotonic()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; medians", flush=True)
    with bench() as plain:
        cases: dict[str, tuple[Callable[[], Case], int]] = {
            "cold": (plain.cold, given.rounds),
            "again": (plain.again, given.rounds),
            "export": (plain.export, few),
            "import": (plain.brought_in, few),
            "tags": (plain.tags, few),
            "large": (plain.large, 1),
        }
        if shutil.disk_usage(plain.folder).free < ROOM:
            print(f"one layer of 2 GB: left out, {ROOM >> 30} GiB are not free in {plain.folder}")
            del cases["large"]
        for name in (n for n in cases if n in wanted):
            make, rounds = cases[name]
            case = make()
            shown(case, run(case, rounds))
    if "tls" in wanted:
        with bench(tls=True) as secured:
            case = secured.cold_tls()
            shown(case, run(case, few))
    print(f"all in {time.monotonic() - began:.0f} s; load {os.getloadavg()[0]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
