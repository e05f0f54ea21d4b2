"""What the engine itself costs: start of the command, durable steps, resume after SIGKILL.

Run by `make bench`, or alone: .venv/bin/python -m bench.engine
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from changeover.engine.journal import Journal, verify_chain
from changeover.engine.store import Store
from changeover.model import events as ev
from changeover.model.plan import Change, Effect

COMMAND = Path(sys.executable).parent / "changeover"
STEPS = 2000
RUNS = 7

INSTANCE = """
format: 1
name: bench
product: bench
hubs: [releases]
hosts: {{here: {{transport: local, state_dir: {root}/state}}}}
"""
RELEASE = """
format: 1
product: bench
version: "1.0"
steps:
{steps}
"""
SLOW = """  - {{id: step-{n}, use: command.run, undo: nothing,
     with: {{script: "echo {n} >> {root}/log; [ {n} != 3 ] || sleep 600"}}}}
"""


def main() -> None:
    """Print every figure with its goal."""
    for words in (["--version"], ["--help"]):
        took = statistics.median(seconds([str(COMMAND), *words]) for _ in range(RUNS))
        print(f"changeover {words[0]:<12} {took * 1000:8.0f} ms   (goal: under 150)")
    print(f"durable steps          {steps_per_second():8.0f} /s   (goal: at least 2000)")
    took = statistics.median(resume_after_kill() for _ in range(RUNS))
    print(f"SIGKILL to first step  {took * 1000:8.0f} ms   (goal: under 300, whole process)")


def seconds(words: list[str]) -> float:
    """Return how long a whole process takes."""
    started = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def steps_per_second() -> float:
    """Return how many steps a journal keeps, start and end each safe on disk, with its chain."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        store = Store(Path(folder))
        journal = Journal(store, "bench")
        change = Change(Effect.UPDATE, "rewrite /etc/app.conf", before={"digest": "0" * 64})
        started = time.perf_counter()
        for number in range(STEPS):
            journal.append(ev.StepStarted(f"1.0/step-{number}@here", 1, change))
            journal.append(ev.StepDone(f"1.0/step-{number}@here", 0.1))
        took = time.perf_counter() - started
        verify_chain(store.entries())
        store.close()
    return STEPS / took


def resume_after_kill() -> float:
    """Kill a run inside its fourth command; return the seconds until `resume` acts on it again.

    The command itself outlives the kill. It is ended from outside, so that the new process finds
    the outcome and begins the next step: what is measured is start, lock, journal, and reattaching.
    """
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        root = Path(folder)
        steps = "".join(SLOW.format(n=n, root=root) for n in range(6))
        (root / "instance.yaml").write_text(INSTANCE.format(root=root))
        (root / "releases/1.0").mkdir(parents=True)
        (root / "releases/1.0/release.yaml").write_text(RELEASE.format(steps=steps))
        run = begin(["apply", "--yes"], root)
        await_line(root / "log", "3")
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        end_sleeper(root)
        started = time.perf_counter()
        again = begin(["resume", "--on-failure", "stop"], root)
        took = await_resumed(root, started)
        again.wait()
        return took


def begin(words: list[str], root: Path) -> subprocess.Popen[bytes]:
    """Start the command in a process group of its own."""
    return subprocess.Popen(
        [str(COMMAND), *words], cwd=root, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def await_line(log: Path, line: str) -> None:
    """Wait until a line is in the log of effects."""
    while not log.exists() or line not in log.read_text().split():
        time.sleep(0.002)


def end_sleeper(root: Path) -> None:
    """End the command that outlived its run, and wait until it has left its outcome."""
    once = root / "state/bench/once"
    recorded = next(once.glob("*step-3*/pid")).read_text()
    os.killpg(int(recorded.split()[0]), signal.SIGTERM)
    while not any(file.read_text().strip() for file in once.glob("*step-3*/rc")):
        time.sleep(0.002)


def await_resumed(root: Path, started: float) -> float:
    """Return the seconds until the resumed run has judged the interrupted step."""
    store = Store(root / ".changeover")
    while not any(
        isinstance(e.event, ev.StepFailed | ev.StepDone) and "step-3" in e.event.key
        for e in store.entries()
    ):
        time.sleep(0.002)
    took = time.perf_counter() - started
    store.close()
    return took


if __name__ == "__main__":
    main()
