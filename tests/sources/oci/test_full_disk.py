"""A full disk, at the registry and here: said at once, nothing half left, and then gone on with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sources.oci.servers import docker_registry
from tests.sources.oci.setting import client_to, copied, pushed
from tests.sources.oci.small_disk import enlarged, on_small_disk, refusal
from tests.sources.oci.test_kill import CALL, environ

from changeover.sources.oci import sample
from changeover.sources.oci.memory import MemoryRegistry

pytestmark = pytest.mark.live
SMALL, LARGE = 1 << 20, 6 << 20


@pytest.fixture(autouse=True)
def _small_disks() -> None:
    if refused := refusal():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(refused)


@pytest.fixture
def stocked(source: MemoryRegistry) -> MemoryRegistry:
    """A registry with an image that fits on the disk, and one that does not."""
    pushed(source, "small", "1", sample.image([sample.layer(1, SMALL)]))
    pushed(source, "large", "1", sample.image([sample.layer(2, LARGE)]))
    return source


def test_a_registry_with_a_full_disk_is_named_at_once(
    stocked: MemoryRegistry, tmp_path: Path
) -> None:
    with (
        docker_registry(tmp_path / "own", mebibytes=4) as own,
        client_to(stocked.host, own.host) as client,
    ):
        to = f"docker://{own.host}/m/"
        large = copied(client, [f"{stocked.host}/large:1"], to)
        sent = len(stocked.requests)
        assert large.failed[0].error == f"{own.host}: its disk is full"
        assert "make room" in large.failed[0].remedy
        assert sent < 12  # a full disk is no reason to try it again and again
        assert "its own purge removes what it kept" in client.notes()[0]


def test_a_layout_on_a_full_disk_keeps_what_is_whole_and_goes_on_with_more_room(
    stocked: MemoryRegistry, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    names = [f"{stocked.host}/{n}:1" for n in ("small", "large")]
    copy = [sys.executable, "-c", CALL, "copy", *names, f"oci:{disk / 'x'}"]
    # One at a time, the largest first: both at once, either may find the other's bytes in its way.
    copy += ["--plain-http", stocked.host, "--jobs", "1"]
    verify = [sys.executable, "-c", CALL, "verify", f"oci:{disk / 'x'}", "--deep"]
    fails = ["sh", "-c", '! "$@"', "sh", *copy]
    partial = ["find", str(disk), "-name", "*.partial"]

    commands = on_small_disk(disk, 4, fails, partial, enlarged(disk, 32), copy, verify)
    done = subprocess.run(
        commands, env=environ(tmp_path), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "the disk is full" in done.stdout
    assert ".partial" not in done.stdout
    assert "1 copied, 1 failed" in done.stdout
    assert "1 copied, 1 unchanged" in done.stdout
    assert "2 of 2 images are sound" in done.stdout
