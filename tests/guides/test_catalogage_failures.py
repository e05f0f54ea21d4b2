"""A deployment that fails before the switch leaves the old release serving, on the old schema.

After it people write into the new schema: an undo then asks, because it would drop what they wrote.
"""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

import pytest
import yaml
from labs.catalogage.local import LocalLab

from changeover.model.release import Phase
from changeover.sources.folder import load_release
from tests.guides.test_catalogage import GUIDE, installed, under_traffic

pytestmark = pytest.mark.live

TELLING = ("client", "migrate", "switch-to-b")
"""Where most is half done; `make fuzz` takes every step."""
SWITCHED = "maintenance-off"


def every_step() -> list[str]:
    """The steps until people are let in again."""
    ordered = sorted(load_release(GUIDE).steps, key=lambda step: list(Phase).index(step.phase))
    return list(takewhile(lambda name: name != SWITCHED, (step.id for step in ordered)))


def failing_after(instance: Path, step: str) -> None:
    """Have the instance fail right after a step of the release."""
    written = yaml.safe_load((instance / "instance.yaml").read_text())
    wrong = {"id": "fails", "use": "wait.command", "with": {"words": ["false"], "within": 0}}
    written["site_steps"] = [{"after": step, "step": wrong}]
    (instance / "instance.yaml").write_text(yaml.safe_dump(written, sort_keys=False))


def comes_back(lab: LocalLab, folder: Path, steps: tuple[str, ...]) -> None:
    instance = lab.write_instance(folder)
    before = installed(lab)
    was = {name: lab.site.health()[name] for name in ("version", "revision")}
    words = ("apply", "--set", "ref=1.2.0", "--yes", "--on-failure", "undo")
    for step in steps:
        failing_after(instance, step)

        report, said = under_traffic(lab, instance, *words)

        assert "2023.7/fails@catalogue" in said, said
        assert {name: lab.site.health()[name] for name in was} == was, (step, said)
        assert installed(lab) == before, (step, said)
        assert {failure.why for failure in report.failures} <= {"503"}, (step, said)


def test_a_deployment_that_fails_half_way_leaves_the_old_release(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    comes_back(fresh_lab, tmp_path / "instance", TELLING)


@pytest.mark.fuzz
def test_a_deployment_that_fails_after_any_step_leaves_the_old_release(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    comes_back(fresh_lab, tmp_path / "instance", tuple(every_step()))
