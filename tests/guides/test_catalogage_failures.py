"""A deployment that fails leaves a release serving, whichever step it was.

Until people are let in again, that is the old release, on the old schema. From then on they write
into the new schema: an undo would drop that, asks first, and the new release serves meanwhile.
"""

from __future__ import annotations

import json
from itertools import dropwhile, takewhile
from pathlib import Path

import pytest
import yaml
from labs.catalogage.local import LocalLab

from changeover.model.release import Phase
from tests.guides.test_catalogage import changeover, installed, under_traffic, version

pytestmark = pytest.mark.live

TELLING, TELLING_LATE = ("client", "migrate", "switch-to-b"), ("api-answers",)
"""Where most is half done; `make fuzz` takes every step that leaves something changed."""
SWITCHED = "maintenance-off"
RELEASE = "ref=1.2.0"
DEPLOY = ("apply", "--set", RELEASE, "--yes", "--on-failure", "undo")
GATE_CLOSED = 7


def changing_steps(instance: Path) -> list[str]:
    """The steps that change something here, as they run, but for those that only tidy.

    A failure right after any other is one after the step before it.
    """
    told = json.loads(changeover(instance, "plan", "--set", RELEASE, "-o", "json").stdout)
    planned = told["hops"][0]["steps"]
    lasting = (each for each in planned if each["step"].get("phase") != Phase.SETTLE)
    return [each["step"]["id"] for each in lasting if each["change"]["effect"] != "none"]


def early(instance: Path) -> tuple[str, ...]:
    """The steps until people are let in again."""
    return tuple(takewhile(lambda name: name != SWITCHED, changing_steps(instance)))


def late(instance: Path) -> tuple[str, ...]:
    """The steps from then on."""
    return tuple(dropwhile(lambda name: name != SWITCHED, changing_steps(instance)))


def failing_after(instance: Path, step: str, *words: str) -> None:
    """Have the instance fail right after a step of the release."""
    written = yaml.safe_load((instance / "instance.yaml").read_text())
    asked = {"words": list(words or ("false",)), "within": 0}
    wrong = {"id": "fails", "use": "wait.command", "with": asked}
    written["site_steps"] = [{"after": step, "step": wrong}]
    (instance / "instance.yaml").write_text(yaml.safe_dump(written, sort_keys=False))


def comes_back(lab: LocalLab, instance: Path, steps: tuple[str, ...]) -> None:
    before = installed(lab)
    was = {name: lab.site.health()[name] for name in ("version", "revision")}
    for step in steps:
        failing_after(instance, step)

        report, said = under_traffic(lab, instance, *DEPLOY)

        assert "2023.7/fails@catalogue" in said, said
        assert {name: lab.site.health()[name] for name in was} == was, (step, said)
        assert installed(lab) == before, (step, said)
        assert {failure.why for failure in report.failures} <= {"503"}, (step, said)


def test_a_deployment_that_fails_half_way_leaves_the_old_release(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    comes_back(fresh_lab, fresh_lab.write_instance(tmp_path / "instance"), TELLING)


def new_release_serves(lab: LocalLab, instance: Path, step: str) -> None:
    """Fail after a step while people write: nothing is taken down before somebody said yes."""
    failing_after(instance, step)

    report, said = under_traffic(lab, instance, *DEPLOY)
    refused = changeover(instance, "undo", "--yes")
    with_traffic, _ = under_traffic(lab, instance, "show")

    assert "2023.7/fails@catalogue" in said, said
    assert "--approve migrate" in said, said
    assert refused.returncode == GATE_CLOSED, refused.stdout + refused.stderr
    assert version(lab) == "1.2.0", (step, said)
    assert {failure.why for failure in report.failures} <= {"503"}, (step, said)
    assert with_traffic.failures == (), (step, said)


def comes_back_when_told(lab: LocalLab, instance: Path, steps: tuple[str, ...]) -> None:
    before = installed(lab)
    was = {name: lab.site.health()[name] for name in ("version", "revision")}
    for step in steps:
        new_release_serves(lab, instance, step)

        done = changeover(instance, "undo", "--yes", "--approve", "migrate")

        said = done.stdout + done.stderr
        assert {name: lab.site.health()[name] for name in was} == was, (step, said)
        assert installed(lab) == before, (step, said)


def test_a_deployment_that_fails_after_the_switch_serves_on_until_the_loss_is_agreed_to(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    instance = fresh_lab.write_instance(tmp_path / "instance")

    comes_back_when_told(fresh_lab, instance, TELLING_LATE)


def test_a_deployment_that_failed_after_the_switch_goes_on_once_it_is_mended(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    instance, mended = fresh_lab.write_instance(tmp_path / "instance"), tmp_path / "mended"
    failing_after(instance, "current", "test", "-e", str(mended))
    under_traffic(fresh_lab, instance, *DEPLOY)
    mended.touch()

    done = changeover(instance, "resume")

    assert done.returncode == 0, done.stdout + done.stderr
    assert version(fresh_lab) == "1.2.0"


@pytest.mark.fuzz
def test_a_deployment_that_fails_after_any_step_behind_the_switch_serves_on(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    instance = fresh_lab.write_instance(tmp_path / "instance")
    steps = late(instance)

    assert {"old-a.stop", "current"} < set(steps)
    comes_back_when_told(fresh_lab, instance, steps)


@pytest.mark.fuzz
def test_a_deployment_that_fails_after_any_step_leaves_the_old_release(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    instance = fresh_lab.write_instance(tmp_path / "instance")
    steps = early(instance)

    assert set(TELLING) < set(steps)
    comes_back(fresh_lab, instance, steps)
