"""The data catalogue's guide, run by the command line against the lab under traffic."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from labs.catalogage.local import LocalLab
from labs.catalogage.traffic import Report, Traffic

from changeover.sources.folder import load_release

GUIDE = Path(__file__).parents[2] / "guides" / "catalogage" / "2023.7"
COMMAND = Path(sys.executable).parent / "changeover"
COMPATIBLE = ("--set", "compatible_migrations=true")


def changeover(
    instance: Path, *words: str, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    asked = [str(COMMAND), *words, "-i", str(instance)]
    return subprocess.run(asked, capture_output=True, text=True, check=False, timeout=timeout)


def deploy(instance: Path, ref: str, *words: str) -> subprocess.CompletedProcess[str]:
    done = changeover(instance, "apply", "--set", f"ref={ref}", "--yes", *words)
    assert done.returncode in (0, 4), done.stdout + done.stderr
    return done


def under_traffic(lab: LocalLab, instance: Path, *words: str) -> tuple[Report, str]:
    """Run a command while users read and write; no row that was confirmed may be lost."""
    traffic = Traffic(lab.layout.client_url, str(lab.authority)).start()
    done = changeover(instance, *words)
    report = traffic.stop()
    assert not traffic.lost(report.acknowledged), done.stdout + done.stderr
    return report, done.stdout + done.stderr


def version(lab: LocalLab) -> object:
    return lab.site.health()["version"]


def installed(lab: LocalLab) -> dict[str, str]:
    """What the manual's way of deploying left: the files that make the platform run."""
    layout = lab.layout
    folders = [Path(layout.programs), Path(layout.sites)]
    files = [file for folder in folders for file in sorted(folder.iterdir())]
    files += [
        Path(layout.workdir) / name for name in (".env", ".git/HEAD", "client/build/index.js")
    ]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_the_guide_has_texts_in_both_languages() -> None:
    release = load_release(GUIDE)

    texts = [release.title, release.notes, *(i.ask for i in release.inputs)]
    steps = [*release.steps, *(s for own in release.procedures.values() for s in own)]
    texts += [text for s in steps for text in (s.title, s.note, s.approval) if text]
    texts += [text for c in release.checks for text in (c.text, c.remedy) if text]
    texts += list(release.procedure_titles.values())

    assert all({"en", "fr"} <= set(text.by_language) for text in texts)


def test_the_guide_names_nothing_of_the_lab() -> None:
    files = [file for file in GUIDE.rglob("*") if file.is_file()]

    assert not [
        file for file in files if re.search(r"\blabs?\b|/tmp/|\b1\.\d\.0", file.read_text())
    ]


@pytest.mark.live
def test_a_compatible_release_fails_no_request_and_undo_makes_the_folder_plain_again(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    instance = fresh_lab.write_instance(tmp_path / "instance")
    before, was = installed(fresh_lab), version(fresh_lab)
    workdir = Path(fresh_lab.layout.workdir)

    words = ("apply", "--set", "ref=1.1.0", *COMPATIBLE, "--yes")
    report, said = under_traffic(fresh_lab, instance, *words)

    assert version(fresh_lab) == "1.1.0", said
    assert report.failures == (), said
    assert workdir.is_symlink()

    report, said = under_traffic(fresh_lab, instance, "undo", "--yes")

    assert version(fresh_lab) == was, said
    assert report.failures == (), said
    assert not workdir.is_symlink()
    assert installed(fresh_lab) == before


@pytest.mark.live
def test_slots_take_turns_and_old_releases_go(fresh_lab: LocalLab, tmp_path: Path) -> None:
    instance = fresh_lab.write_instance(tmp_path / "instance")
    slot_b = Path(fresh_lab.layout.serving) / "live-b"

    deploy(instance, "1.1.0", *COMPATIBLE)
    first = (version(fresh_lab), slot_b.exists())
    deploy(instance, "1.2.0")
    second = (version(fresh_lab), slot_b.exists())

    assert (first, second) == (("1.1.0", True), ("1.2.0", False))
    running = fresh_lab.supervisord.control("status").stdout
    assert running.count("RUNNING") == 2
    assert len(list(Path(fresh_lab.layout.programs).iterdir())) == 1


@pytest.mark.live
def test_a_migration_that_fails_leaves_old_code_on_the_old_schema_and_every_row(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    instance = fresh_lab.write_instance(tmp_path / "instance")
    before = installed(fresh_lab)
    was = {name: fresh_lab.site.health()[name] for name in ("version", "revision")}

    words = ("apply", "--set", "ref=1.4.0", "--yes", "--on-failure", "undo")
    report, said = under_traffic(fresh_lab, instance, *words)

    assert "upgrade exited 1" in said
    assert {name: fresh_lab.site.health()[name] for name in was} == was
    assert {failure.why for failure in report.failures} <= {"503"}
    assert installed(fresh_lab) == before


@pytest.mark.live
def test_a_commit_older_than_the_schema_is_refused_while_everything_runs(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    instance = fresh_lab.write_instance(tmp_path / "instance")
    deploy(instance, "1.2.0")

    words = ("apply", "--set", "ref=1.1.0", "--yes", "--on-failure", "undo")
    report, said = under_traffic(fresh_lab, instance, *words)

    assert "Can't locate revision" in said
    assert (version(fresh_lab), report.failures) == ("1.2.0", ())
