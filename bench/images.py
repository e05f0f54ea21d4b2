"""Copies of images beside skopeo, crane and regsync: whole processes, interleaved, medians.

    python bench/images.py [--rounds 5] [--only cold,again,tags,export,import,tls,large]

Needs docker-registry and skopeo; crane and regsync are taken from PATH where they are.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]


from labs.images.registries import (  # noqa: E402 - after the path is set
    Address,
    Registry,
    registry,
)

from changeover.sources.oci import sample  # noqa: E402 - after the path is set
from changeover.sources.oci.client import Client, Settings  # noqa: E402 - after the path is set

IMAGES, LAYER = 20, 8 << 20
CHANGEOVER = [sys.executable, "-m", "changeover.cli.main", "images"]
"""Whole processes: start-up and imports count."""


@dataclass(frozen=True)
class Measured:
    """One run of a program."""

    wall: float
    cpu: float
    mib: float


@dataclass(frozen=True)
class Case:
    """Something every program can do, and how each is told to."""

    name: str
    commands: dict[str, list[list[str]]]
    reset: Callable[[], None]
    goal: str = ""


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


def filled(source: Address, images: int, layers: int = 5, shared: int = 2) -> None:
    """Push the images every case copies."""
    with Client(Settings(source.network)) as client:
        target = client.registry(source.host)
        common = [sample.layer(n, LAYER) for n in range(shared)]
        for number in range(images):
            own = [sample.layer(1000 + 10 * number + n, LAYER) for n in range(layers - shared)]
            sample.push(target, f"bench/image-{number:02}", "1.0", sample.image(common + own))


def tagged(source: Address, tags: int) -> None:
    """Push many tags of few layers each into one repository."""
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
    """Two registries, the lists each program reads, and the cases."""

    def __init__(self, folder: Path, source: Registry, target: Registry, *, tls: str = "") -> None:
        self.folder, self.source, self.target, self.tls = folder, source, target, tls
        self.names = [f"bench/image-{n:02}" for n in range(IMAGES)]
        self.plain = ["--plain-http", source.host, "--plain-http", target.host]
        if tls:
            self.plain = ["--ca", str(source.authority), "--ca", str(target.authority)]

    def cold(self) -> Case:
        """Copy all images to an empty registry."""
        return Case("cold", self.copies("1.0", self.names), self.target.emptied)

    def again(self) -> Case:
        """Copy them once more: there is nothing to do."""
        return Case("again", self.copies("1.0", self.names), lambda: None)

    def copies(self, tag: str, names: list[str]) -> dict[str, list[list[str]]]:
        """Return how each program copies these repositories."""
        lists = self.folder / "list.txt"
        lists.write_text("".join(f"{self.source.host}/{n}:{tag}\n" for n in names))
        to = f"docker://{self.target.host}/mirror"
        found = {
            "changeover": [[*CHANGEOVER, "copy", "--from", str(lists), to, *self.plain]],
            "skopeo sync": [self.skopeo({n: [tag] for n in names})],
        }
        return {**found, **self.go_peers({n: [tag] for n in names})}

    def skopeo(self, names: dict[str, list[str]]) -> list[str]:
        """Return skopeo's command for repositories with their tags."""
        file = self.folder / "skopeo.yml"
        images = {n: list(t) for n, t in names.items()}
        insecure = not self.tls
        file.write_text(json.dumps({self.source.host: {"images": images, "tls-verify": False}}))
        where = (
            ["--src-tls-verify=false", "--dest-tls-verify=false"] if insecure or self.tls else []
        )
        kinds = ["--src", "yaml", "--dest", "docker"]
        return ["skopeo", "sync", *where, *kinds, str(file), f"{self.target.host}/mirror"]

    def go_peers(self, names: dict[str, list[str]]) -> dict[str, list[list[str]]]:
        """Return crane's and regsync's commands, where they are installed."""
        found: dict[str, list[list[str]]] = {}
        pairs = [
            (f"{self.source.host}/{n}:{t}", f"{self.target.host}/mirror/{n}:{t}")
            for n, tags in names.items()
            for t in tags
        ]
        if shutil.which("crane"):
            found["crane"] = [["crane", "copy", "--insecure", "-j", "6", a, b] for a, b in pairs]
        if shutil.which("regsync"):
            tls = "insecure" if self.tls else "disabled"
            hosts = (self.source.host, self.target.host)
            config = {
                "version": 1,
                "creds": [{"registry": h, "tls": tls} for h in hosts],
                "defaults": {"parallel": 6},
                "sync": [{"source": a, "target": b, "type": "image"} for a, b in pairs],
            }
            file = self.folder / "regsync.yml"
            file.write_text(json.dumps(config))
            found["regsync"] = [["regsync", "once", "-c", str(file)]]
        return found

    def tags(self, count: int) -> Case:
        """Ask for many tags of one repository when all are there."""
        lists = self.folder / "tags.txt"
        tags = [f"v{n}" for n in range(count)]
        lists.write_text("".join(f"{self.source.host}/bench/tags:{t}\n" for t in tags))
        to = f"docker://{self.target.host}/mirror"
        ours = [*CHANGEOVER, "copy", "--from", str(lists), to, *self.plain]
        measured([ours])
        commands = {"changeover": [ours], "skopeo sync": [self.skopeo({"bench/tags": tags})]}
        return Case(f"{count} tags again", commands, lambda: None)

    def export(self) -> Case:
        """Write all images into one layout."""
        folder = self.folder / "layout"
        lists = self.folder / "list.txt"
        ours = [*CHANGEOVER, "copy", "--from", str(lists), f"oci:{folder}", *self.plain]
        skopeo = [
            [
                "skopeo",
                "copy",
                "--src-tls-verify=false",
                "--dest-shared-blob-dir",
                str(folder / "blobs"),
                f"docker://{self.source.host}/{n}:1.0",
                f"oci:{folder}/{n}:1.0",
            ]
            for n in self.names
        ]

        def emptied() -> None:
            shutil.rmtree(folder, ignore_errors=True)
            for name in self.names:
                (folder / name).mkdir(parents=True)

        return Case("export", {"changeover": [ours], "skopeo copy": skopeo}, emptied)

    def brought_in(self) -> Case:
        """Copy from a layout into an empty registry."""
        folder, theirs = self.folder / "in", self.folder / "in-skopeo"
        lists = self.folder / "list.txt"
        measured([[*CHANGEOVER, "copy", "--from", str(lists), f"oci:{folder}", *self.plain]])
        to = f"docker://{self.target.host}/mirror"
        skopeo = []
        for name in self.names:
            (theirs / name).mkdir(parents=True)
            get = ["skopeo", "copy", "--src-tls-verify=false", "--dest-shared-blob-dir"]
            get += [str(theirs / "blobs"), f"docker://{self.source.host}/{name}:1.0"]
            measured([[*get, f"oci:{theirs}/{name}:1.0"]])
            put = ["skopeo", "copy", "--dest-tls-verify=false", "--src-shared-blob-dir"]
            put += [str(theirs / "blobs"), f"oci:{theirs}/{name}:1.0"]
            skopeo.append([*put, f"docker://{self.target.host}/mirror/{name}:1.0"])
        ours = [*CHANGEOVER, "copy", f"oci:{folder}", to, *self.plain]
        commands = {"changeover": [ours], "skopeo copy": skopeo}
        return Case("layout to registry", commands, self.target.emptied)

    def large(self) -> Case:
        """Copy one layer of 2 GB: memory must stay flat."""
        apart(filled_large, self.source)
        to = f"docker://{self.target.host}/mirror/large:1.0"
        ours = [*CHANGEOVER, "copy", f"{self.source.host}/bench/large:1.0", to, *self.plain]
        return Case("one layer of 2 GB", {"changeover": [ours]}, self.target.emptied)


@contextmanager
def bench(*, tls: bool = False) -> Iterator[Bench]:
    """Start both registries, the source filled."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-images-")))
        source = stack.enter_context(registry(folder / "source", tls=tls))
        target = stack.enter_context(registry(folder / "target", tls=tls))
        apart(filled, source, IMAGES)
        yield Bench(folder, source, target, tls=str(source.authority) if tls else "")


def shown(case: Case, found: dict[str, Measured]) -> None:
    """Print one case: seconds, the programs' own CPU, memory, and our ratio to each peer."""
    ours = found["changeover"]
    for name, m in found.items():
        ratio = "" if name == "changeover" else f"   ours is {ours.wall / m.wall:.2f} of this"
        print(
            f"{case.name:<20} {name:<12} {m.wall:6.2f} s  "
            f"cpu {m.cpu:5.2f} s  {m.mib:4.0f} MiB{ratio}",
            flush=True,
        )


def main() -> None:
    """Run the cases that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="cold,again,tags,export,import,tls,large")
    given = parser.parse_args()
    wanted = set(given.only.split(","))
    with bench() as plain:
        cases: dict[str, Callable[[], Case]] = {
            "cold": plain.cold,
            "again": plain.again,
            "export": plain.export,
            "import": plain.brought_in,
        }
        for name, make in cases.items():
            if name in wanted:
                case = make()
                shown(case, run(case, given.rounds))
        if "tags" in wanted:
            apart(tagged, plain.source, 200)
            case = plain.tags(200)
            shown(case, run(case, given.rounds))
        if "large" in wanted:
            case = plain.large()
            shown(case, run(case, 1))
    if "tls" in wanted:
        with bench(tls=True) as secured:
            case = secured.cold()
            shown(Case("cold, TLS", case.commands, case.reset), run(case, given.rounds))


if __name__ == "__main__":
    main()
