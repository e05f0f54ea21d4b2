"""What the page tells somebody in trouble to type does what it says there, for each trouble."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.program import await_outcome

COMMAND = Path(sys.executable).with_name("changeover")
RELEASE = """\
format: 1
product: shop
version: "2.0"
from: ">=1.0,<2.0"
probe: {{file: {root}/VERSION}}
steps:
  - {{id: before, use: files.write, with: {{path: {root}/before, content: new}}}}
  - {step}
  - {{id: version, phase: settle, use: files.write, with: {{path: {root}/VERSION, content: "2.0"}}}}
"""
INSTANCE = """\
format: 1
name: night
product: shop
hubs: [../releases]
hosts:
  here: {{transport: local, state_dir: {root}/state}}
"""
SLOW = """{id: slow, use: command.run, undo: nothing, with: {
    script: 'for look in $(seq 600); do test -e ROOT/over && exit 0; sleep 0.1; done'}}"""
"""It ends when somebody lets it, however busy the machine is."""
BROKEN = "{id: broken, use: command.run, undo: nothing, with: {script: 'echo no luck >&2; exit 1'}}"
ONE_WAY = "{id: mail, use: command.run, undo: none, approval: Send?, with: {words: ['true']}}"


class Night:
    """An instance on this machine whose upgrade has one awkward step."""

    def __init__(self, folder: Path, step: str) -> None:
        self.root, self.state = folder, folder / "journal"
        release = folder / "releases/shop/2.0/release.yaml"
        for path in (release.parent, folder / "prod"):
            path.mkdir(parents=True)
        release.write_text(RELEASE.format(root=folder, step=step.replace("ROOT", str(folder))))
        (folder / "prod/instance.yaml").write_text(INSTANCE.format(root=folder))
        (folder / "VERSION").write_text("1.0")

    def types(self, line: str) -> tuple[int, str]:
        """Type `changeover ...`; return the exit code and all that was printed."""
        done = subprocess.run(
            [COMMAND, *line.split()], cwd=self.root / "prod", env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=120, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    def is_killed_in(self, step: str) -> None:
        """Begin the upgrade and kill it while a step runs."""
        run = subprocess.Popen(
            [COMMAND, "apply", "--yes"], cwd=self.root / "prod", env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        started = f"started   2.0/{step}@here"
        assert await_outcome(lambda: started in self.types("show")[1], 60)
        assert self.types("lock status")[0] == 8
        run.send_signal(signal.SIGKILL)
        run.wait()
        (self.root / "over").touch()

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "CHANGEOVER_STATE": str(self.state)}

    def installed(self) -> str:
        return (self.root / "VERSION").read_text()


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    night = Night(tmp_path, SLOW)
    night.is_killed_in("slow")

    code, said = night.types("resume")

    assert (code, night.installed()) == (0, "2.0"), said
    assert night.types("audit verify")[0] == 0
    assert "RunEnded" in night.types("audit export")[1]


def test_a_run_goes_on_without_the_machine_it_began_on(tmp_path: Path) -> None:
    night = Night(tmp_path, SLOW)
    night.is_killed_in("slow")
    night.state = tmp_path / "another machine"

    code, said = night.types("takeover --force")

    assert (code, night.installed()) == (0, "2.0"), said


def test_a_failed_step_can_be_looked_at_passed_over_or_taken_back(tmp_path: Path) -> None:
    night = Night(tmp_path, BROKEN)

    assert night.types("apply --yes")[0] == 4
    assert "no luck" in night.types("logs broken")[1]
    assert night.types("resume")[0] == 4
    assert night.types("skip broken --reason known")[0] == 0
    assert night.types("resume")[0] == 0
    assert night.types("undo --yes")[0] == 0
    assert night.installed() == "1.0"
    assert not (tmp_path / "before").exists()


def test_a_failed_run_goes_back_by_itself_where_nobody_is_there(tmp_path: Path) -> None:
    night = Night(tmp_path, BROKEN)

    code, said = night.types("apply --yes --on-failure undo")

    assert (code, night.installed()) == (4, "1.0"), said


@pytest.mark.parametrize("found", ["--happened", "--did-not"])
def test_a_step_nobody_knows_about_is_settled(tmp_path: Path, found: str) -> None:
    night = Night(tmp_path, SLOW)
    night.is_killed_in("slow")

    assert night.types(f"settle slow {found} --reason looked")[0] == 0
    code, said = night.types("resume")

    assert (code, night.installed()) == (0, "2.0"), said


def test_a_gate_waits_and_beyond_the_line_there_is_no_way_back(tmp_path: Path) -> None:
    night = Night(tmp_path, ONE_WAY)

    assert night.types("apply --yes")[0] == 7
    assert "Send?" in night.types("show")[1]
    assert night.types("approve mail")[0] == 0
    assert night.types("resume")[0] == 0
    code, said = night.types("undo --yes")

    assert (code, night.installed()) == (9, "2.0"), said
    assert night.types("lock status")[0] == 0
