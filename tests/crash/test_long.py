"""Two hundred steps, killed around every entry and at five hundred random moments (make fuzz)."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from pathlib import Path

import pytest

from changeover.model.state import Stage
from tests.crash.test_crash import dying, in_a_process_of_its_own, state_of
from tests.engine.world import World, effect

pytestmark = pytest.mark.fuzz

STEPS = [effect(f"step-{n:03}", phase="change", on="one") for n in range(200)]
RANDOM_KILLS = 500
MOST_TRIES = 2000


def begun(folder: Path) -> World:
    world = World(folder)
    world.release("1.0", STEPS)
    return world


def go_on(world: World) -> None:
    if state_of(world).started:
        world.resume()
    else:
        world.apply()


def assert_every_step_happened_once(world: World) -> None:
    counts = Counter(world.effects())
    lost = {f"step-{n:03} one" for n in range(200)} - counts.keys()
    repeated = {step for step, count in counts.items() if count > 1}
    assert (lost, repeated) == (set(), set())
    assert state_of(world).stage is Stage.DONE


@pytest.mark.parametrize("kept", [False, True], ids=["before", "after"])
def test_a_run_that_dies_at_every_entry_in_turn_loses_and_repeats_nothing(
    kept: bool, tmp_path: Path
) -> None:
    world = begun(tmp_path)

    for _ in range(MOST_TRIES):
        # Three entries further each time: lock, resumed, and one of the run itself.
        code = in_a_process_of_its_own(dying(4, kept, lambda: go_on(world)))
        if code == 0:
            break

    assert_every_step_happened_once(world)


def test_five_hundred_kills_at_random_moments_lose_and_repeat_nothing(tmp_path: Path) -> None:
    chance, kills = random.Random(20260101), 0  # noqa: S311 - when to kill is no secret
    while kills < RANDOM_KILLS:
        folder = tmp_path / f"world-{kills}"
        folder.mkdir()
        world = begun(folder)
        while state_of(world).stage is not Stage.DONE:
            kills += killed_within(chance.uniform(0.05, 1.5), world)
        assert_every_step_happened_once(world)


def killed_within(seconds: float, world: World) -> bool:
    """Let the run go on in a process group of its own and kill that after a while."""
    child = os.fork()
    if not child:
        os.setsid()
        go_on(world)
        os._exit(0)
    timer = threading.Timer(seconds, lambda: os.killpg(child, signal.SIGKILL))
    timer.start()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    timer.cancel()
    timer.join()
    return code == -signal.SIGKILL
