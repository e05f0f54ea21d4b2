"""Runs as lines for people."""

from __future__ import annotations

import pytest

from changeover.model import events as ev
from changeover.model.state import Stage, replay
from changeover.views.run import run_summary_lines


@pytest.mark.parametrize(
    ("steps", "said"), [(0, "0 steps in"), (1, "1 step in"), (2, "2 steps in")]
)
def test_one_step_is_one(steps: int, said: str) -> None:
    state = replay(())
    state.stage = Stage.DONE
    for number in range(steps):
        done = ev.StepDone(f"1.0/step{number}@web1", 0.5)
        state.take(ev.Entry(number, "r1", "2026-01-01T00:00:00", done, "", ""))

    assert said in "\n".join(run_summary_lines(state))
