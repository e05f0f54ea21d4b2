"""Killed at any moment: a rerun sends again at most what was in flight, and leaves nothing open."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sources.oci.servers import Server
from tests.sources.oci.setting import client_to, holds, pushed

from changeover.sources.oci import sample
from changeover.sources.oci.memory import MemoryRegistry

LAYER, LAYERS, IMAGES, JOBS = 400_000, 4, 5, 3
CALL = "import sys; from changeover.cli.images.group import group; group(sys.argv[1:])"


def copying(source: str, target: str, state: Path) -> list[str]:
    names = [f"{source}/app{n}:1" for n in range(IMAGES)]
    plain = ["--plain-http", source, "--plain-http", target, "-j", str(JOBS)]
    return [sys.executable, "-c", CALL, "copy", *names, f"docker://{target}/m", *plain]


def environ(state: Path) -> dict[str, str]:
    return {**os.environ, "XDG_STATE_HOME": str(state), "HOME": "/nonexistent"}


def killed_and_rerun(source: MemoryRegistry, folder: Path, at: int) -> None:
    """Kill a copy at the moment the target gets its n-th request, then run it again."""
    with MemoryRegistry() as target:
        command = copying(source.host, target.host, folder)
        program = subprocess.Popen(
            command, env=environ(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

        def kill(_: object) -> None:
            if len(target.requests) == at:
                program.send_signal(signal.SIGKILL)

        target.script = kill
        program.wait()
        target.script = lambda _: None
        there = sum(len(c) for c in target.blobs.values())
        target.requests.clear()

        subprocess.run(command, env=environ(folder), check=True, capture_output=True)

        assert all(holds(target, f"m/app{n}", "1", t) for n, t in enumerate(stock()))
        whole = sum(len(c) for c in target.blobs.values())
        assert target.received() <= whole - there + JOBS * LAYER
        # Of a session whose address was still on its way, nobody knew: it is empty.
        assert all(kept == b"" for kept in target.uploads.values())
    assert list((folder / "changeover" / "uploads").glob("*")) == []


def stock() -> list[sample.Sample]:
    shared = sample.layer(1, LAYER)
    return [
        sample.image([shared, *(sample.layer(10 * n + i, LAYER) for i in range(1, LAYERS))])
        for n in range(IMAGES)
    ]


@pytest.mark.parametrize("at", [3, 20, 45])
def test_a_killed_copy_goes_on(source: MemoryRegistry, tmp_path: Path, at: int) -> None:
    for number, thing in enumerate(stock()):
        pushed(source, f"app{number}", "1", thing)

    killed_and_rerun(source, tmp_path, at)


@pytest.mark.fuzz
def test_killed_at_fifty_random_moments(source: MemoryRegistry, tmp_path: Path) -> None:
    for number, thing in enumerate(stock()):
        pushed(source, f"app{number}", "1", thing)
    dice = random.Random(5)  # noqa: S311 - chosen moments

    for turn in range(50):
        killed_and_rerun(source, tmp_path / str(turn), dice.randrange(1, 110))


def test_two_copies_of_the_same_set_at_once_both_succeed(
    source: MemoryRegistry, target: MemoryRegistry, tmp_path: Path
) -> None:
    for number, thing in enumerate(stock()):
        pushed(source, f"app{number}", "1", thing)
    command = copying(source.host, target.host, tmp_path)

    programs = [
        subprocess.Popen(command, env=environ(tmp_path), stdout=subprocess.DEVNULL) for _ in "ab"
    ]

    assert [p.wait() for p in programs] == [0, 0]
    assert all(holds(target, f"m/app{n}", "1", t) for n, t in enumerate(stock()))
    assert target.uploads == {}


def test_two_exports_into_one_layout_at_once_both_succeed(
    source: MemoryRegistry, target: MemoryRegistry, tmp_path: Path
) -> None:
    for number, thing in enumerate(stock()):
        pushed(source, f"app{number}", "1", thing)
    plain = ["--plain-http", source.host, "--plain-http", target.host]
    names = [f"{source.host}/app{n}:1" for n in range(IMAGES)]
    command = [sys.executable, "-c", CALL, "copy", *names, f"oci:{tmp_path / 'x'}", *plain]

    programs = [
        subprocess.Popen(command, env=environ(tmp_path), stdout=subprocess.DEVNULL) for _ in "ab"
    ]
    assert [p.wait() for p in programs] == [0, 0]
    back = [
        sys.executable,
        "-c",
        CALL,
        "copy",
        f"oci:{tmp_path / 'x'}",
        f"docker://{target.host}/m",
        *plain,
    ]
    subprocess.run(back, env=environ(tmp_path), check=True, capture_output=True)

    assert all(holds(target, f"m/app{n}", "1", t) for n, t in enumerate(stock()))
    assert list((tmp_path / "x").rglob("*.partial")) == []


@pytest.mark.live
def test_a_target_that_restarts_in_the_middle_is_waited_for(
    source: MemoryRegistry, debian: Server, tmp_path: Path
) -> None:
    for number, thing in enumerate(stock()):
        pushed(source, f"app{number}", "1", thing)
    restarted: list[bool] = []

    def restart(_: object) -> None:
        if len(source.requests) > 12 and not restarted:
            restarted.append(True)
            debian.stop()
            debian.start()

    source.script = restart
    command = copying(source.host, debian.host, tmp_path)
    done = subprocess.run(command, env=environ(tmp_path), check=True, capture_output=True)

    assert restarted
    left = [u for u in debian.uploads() if "m" in u.parts]
    # What a request was cut in, this registry lets nobody cancel: then it is said.
    assert not left or b"would not cancel" in done.stdout
    with client_to(debian.host) as client:
        for number, thing in enumerate(stock()):
            assert client.registry(debian.host).resolve(f"m/app{number}", "1") == thing.digest
