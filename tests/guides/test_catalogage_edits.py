"""What an operator changed by hand on the server lives through releases of the data catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest
from labs.catalogage.edits import Edits
from labs.catalogage.hub import LATER, publish, publish_later
from labs.catalogage.local import LocalLab

from changeover.actions import builtin
from changeover.sources.lint import lint_release
from tests.guides.test_catalogage import COMPATIBLE, changeover, deploy, version


def test_the_later_guide_of_the_lab_is_sound(tmp_path: Path) -> None:
    publish(tmp_path)

    later = publish_later(tmp_path)

    assert later.name == LATER
    assert [str(problem) for problem in lint_release(later, builtin)] == []


@pytest.mark.live
def test_edits_live_through_four_releases_one_of_which_renames_a_setting(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    hub = publish(tmp_path / "hub")
    instance = fresh_lab.write_instance(tmp_path / "instance", hub=hub)
    edits = Edits(fresh_lab.layout)
    edits.make()
    by_hand = [file.read_bytes() for file in (edits.site, edits.env, edits.programs)]

    deploy(instance, "1.1.0", *COMPATIBLE)
    assert (version(fresh_lab), list(edits.lost())) == ("1.1.0", [])
    done = changeover(instance, "undo", "--yes")
    assert done.returncode == 0, done.stderr
    assert [f.read_bytes() for f in (edits.site, edits.env, edits.programs)] == by_hand

    for release in ("1.1.0", "1.2.0"):
        deploy(instance, release, *(COMPATIBLE if release == "1.1.0" else ()))
        assert (version(fresh_lab), list(edits.lost())) == (release, [])
    publish_later(hub)
    for release in ("1.3.0", "1.4.1"):
        deploy(instance, release)
        assert (version(fresh_lab), list(edits.lost(renamed=True))) == (release, [])
