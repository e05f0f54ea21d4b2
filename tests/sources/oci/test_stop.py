"""Ctrl-C: at once, whatever a thread waits for; nothing is left open, and what is done is said."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from tests.sources.oci.setting import holds, pushed
from tests.sources.oci.test_kill import CALL, environ

from changeover.sources.oci import sample
from changeover.sources.oci.memory import Fault, MemoryRegistry, Request

LONGEST = 20.0
"""Seconds; a dead connection is only noticed after 60."""


def started(words: list[str], folder: Path) -> subprocess.Popen[str]:
    import sys  # noqa: PLC0415 - with its use

    return subprocess.Popen(
        [sys.executable, "-c", CALL, *words],
        env=environ(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def interrupted(program: subprocess.Popen[str], reached: threading.Event) -> tuple[float, str]:
    """Send Ctrl-C once the program hangs; return how long it took to end, and what it said."""
    assert reached.wait(20)
    began = time.monotonic()
    program.send_signal(signal.SIGINT)
    said, _ = program.communicate(timeout=60)
    return time.monotonic() - began, said


def stalling(method: str, part: str, reached: threading.Event, over: threading.Event) -> object:
    def script(request: Request) -> Fault | None:
        if request.method == method and part in request.path:
            reached.set()
            return Fault(stall=over)
        return None

    return script


@pytest.mark.parametrize(
    ("where", "method", "part"),
    [
        ("source", "GET", "/blobs/"),
        ("source", "GET", "/manifests/"),
        ("target", "HEAD", "/blobs/"),
        ("target", "PUT", "/uploads/"),
        ("target", "POST", "/uploads/"),
    ],
)
def test_a_copy_that_hangs_ends_at_once(
    source: MemoryRegistry,
    target: MemoryRegistry,
    tmp_path: Path,
    where: str,
    method: str,
    part: str,
) -> None:
    pushed(source, "app", "1", sample.image([sample.layer(1, 300_000)]))
    reached, over = threading.Event(), threading.Event()
    hanging = source if where == "source" else target
    hanging.script = stalling(method, part, reached, over)  # type: ignore[assignment]  # a script
    plain = ["--plain-http", source.host, "--plain-http", target.host]
    words = ["copy", f"{source.host}/app:1", f"docker://{target.host}/app:1", *plain]

    took, said = interrupted(started(words, tmp_path), reached)
    over.set()

    assert took < LONGEST
    assert "stopped before it was done" in said
    assert "Traceback" not in said
    hanging.script = lambda _: None
    # What could not be cancelled in three seconds, the next run cancels.
    again = started(words, tmp_path)
    assert "1 copied" in again.communicate(timeout=60)[0]
    # Of one whose address was on its way for longer than that, nobody knew: it is empty.
    assert all(kept == b"" for kept in target.uploads.values())


def test_what_was_done_is_said_and_the_next_run_does_the_rest(
    source: MemoryRegistry, target: MemoryRegistry, tmp_path: Path
) -> None:
    things = {n: pushed(source, n, "1", sample.image([n.encode() * 99])) for n in ("one", "two")}
    victim = things["two"].manifest.blobs[1].digest
    reached, over = threading.Event(), threading.Event()
    source.script = stalling("GET", victim, reached, over)  # type: ignore[assignment]  # a script
    plain = ["--plain-http", source.host, "--plain-http", target.host]
    names = [f"{source.host}/{n}:1" for n in things]
    words = ["copy", *names, f"docker://{target.host}/m", *plain]

    program = started(words, tmp_path)
    while not holds(target, "m/one", "1", things["one"]):
        time.sleep(0.02)  # the outcome is awaited
    _, said = interrupted(program, reached)
    over.set()
    source.script = lambda _: None
    again = started(words, tmp_path)
    again.communicate(timeout=60)
    assert again.returncode == 0

    assert program.returncode == 130
    assert "1 copied, 1 failed" in said
    assert all(holds(target, f"m/{n}", "1", thing) for n, thing in things.items())


@pytest.mark.parametrize("command", ["verify", "list"])
def test_looking_ends_at_once_too(source: MemoryRegistry, tmp_path: Path, command: str) -> None:
    pushed(source, "app", "1", sample.image([b"x"]))
    reached, over = threading.Event(), threading.Event()
    source.script = stalling("GET", "/manifests/", reached, over)  # type: ignore[assignment]  # a script
    (tmp_path / "list.txt").write_text(f"{source.host}/app:1\n")
    what = {"verify": f"{source.host}/app:1", "list": str(tmp_path / "list.txt")}[command]

    program = started([command, what, "--plain-http", source.host], tmp_path)
    took, _ = interrupted(program, reached)
    over.set()

    assert took < LONGEST
    assert program.returncode != 0
