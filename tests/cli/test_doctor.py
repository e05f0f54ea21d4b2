"""`changeover doctor` as it is typed: exit codes, forms of output, what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from changeover.cli.doctor import mendable
from changeover.engine.doctor import mend
from changeover.engine.session import open_session
from changeover.errors import LockHeld
from changeover.model.diagnosis import Diagnosis, Fault, Mending, Told
from changeover.model.state import RunState
from tests.servers.program import free_port

COMMAND = Path(sys.executable).with_name("changeover")
RELEASE = """\
format: 1
product: shop
version: "2.0"
steps: []
"""
INSTANCE = """\
format: 1
name: night
product: shop
hubs: [../releases]
vars: {{unit: shop.service, port: 8000}}
hosts:
  here: {host}
endpoints: {endpoints}
"""
HERE = "{{transport: local, state_dir: {root}/state}}"


def instance(root: Path, doctor: str = "", host: str = HERE, endpoints: str = "[]") -> Path:
    release = root / "releases/shop/2.0"
    release.mkdir(parents=True)
    (release / "release.yaml").write_text(RELEASE)
    if doctor:
        (release / "doctor.yaml").write_text(doctor)
    folder = root / "night"
    folder.mkdir()
    text = INSTANCE.format(host=host.format(root=root), endpoints=endpoints)
    (folder / "instance.yaml").write_text(text)
    return folder


def types(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "-i", folder, *words], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False, timeout=60,
    )  # fmt: skip


STARTS = """\
format: 1
product: shop
version: "2.0"
inputs: {other: {type: string, ask: {en: "Which?"}}}
steps:
  - {id: one, phase: start, use: systemd.restart, with: {unit: "{{ vars.unit }}"}}
  - {id: two, phase: start, use: systemd.start, with: {units: [shop.service, shop.timer]}}
  - {id: three, phase: start, use: systemd.start, with: {unit: "{{ inputs.other }}.service"}}
  - {id: four, phase: start, use: nginx.reload}
  - {id: five, phase: start, use: supervisor.start, with: {program: shop-worker}}
"""


def test_without_a_file_for_it_what_the_steps_start_is_looked_at(tmp_path: Path) -> None:
    folder = instance(tmp_path)
    (tmp_path / "releases/shop/2.0/release.yaml").write_text(STARTS)

    done = types(folder, "doctor", "-o", "json")

    told = json.loads(done.stdout)
    looked_at = told["hosts"][0]["looked_at"]
    assert looked_at.count("program shop.service") == 1
    assert {"nginx", "supervisor", "program shop-worker"} <= set(looked_at)
    assert not [name for name in looked_at if "timer" in name or "{{" in name]
    faulty = [t["fault"]["thing"] for t in told["findings"]]
    assert not [thing for thing in faulty if "shop" in thing], "not installed, so not looked for"


def test_a_product_that_says_nothing_is_examined_all_the_same(tmp_path: Path) -> None:
    done = types(instance(tmp_path), "doctor", "-o", "json")

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["hosts"][0]["looked_at"][0] == "disk /"
    assert "clock" in told["hosts"][0]["looked_at"]
    assert not [t for t in told["findings"] if t["fault"]["grave"]]


def test_what_is_broken_is_an_exit_code_with_cause_and_remedy(tmp_path: Path) -> None:
    port = free_port()
    where = f"[{{name: site, url: 'http://127.0.0.1:{port}/'}}]"
    done = types(instance(tmp_path, endpoints=where), "doctor")

    assert done.returncode == 3
    assert f"✗ http://127.0.0.1:{port}/ fails" in done.stdout
    assert "Connection refused" in done.stdout
    assert "Broken: 1 cause." in done.stdout


def test_a_name_that_stands_for_nothing_is_the_cause(tmp_path: Path) -> None:
    where = "[{name: site, url: 'http://no-such-name.invalid/'}]"

    done = types(instance(tmp_path, endpoints=where), "doctor", "-o", "json")

    told = json.loads(done.stdout)
    assert [t["fault"]["kind"] for t in told["findings"]] == ["name-unknown"]


def test_a_host_that_is_away_is_told_beside_the_others(tmp_path: Path) -> None:
    away = "{{transport: ssh, address: 127.0.0.1, port: PORT}}\n  too: " + HERE
    folder = instance(tmp_path, host=away.replace("PORT", str(free_port())))

    done = types(folder, "doctor", "-o", "json")

    assert done.returncode == 5
    told = json.loads(done.stdout)
    assert [t["fault"]["kind"] for t in told["findings"]] == ["host-unreachable"]
    assert told["hosts"][1]["looked_at"]


PROGRAM = "programs: [{name: '{{ vars.unit }}', port: '{{ vars.port }}', log: /nowhere}]"


def test_a_mending_is_not_done_unasked(tmp_path: Path) -> None:
    folder = instance(tmp_path, PROGRAM)
    broken = types(folder, "doctor")
    assert broken.returncode == 3
    assert "shop.service does not run" in broken.stdout

    done = types(folder, "doctor", "--fix")

    assert done.returncode == 2
    assert "nobody is there to say yes" in done.stderr


def test_a_mending_that_fails_is_told_and_written_down(tmp_path: Path) -> None:
    folder = instance(tmp_path, PROGRAM)

    done = types(folder, "doctor", "--fix", "--yes")

    assert done.returncode == 3
    assert "start shop.service: failed" in done.stderr
    log = (folder / ".changeover/doctor.jsonl").read_text().splitlines()
    assert [json.loads(line)["outcome"] == "began" for line in log] == [True, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("program: []", "unknown key `program`"),
        ("programs: [{port: 80}]", "name"),
        ("programs: [{name: a, port: '{{ vars.unit }}'}]", "is no number"),
        ("programs: [{name: '{{ vars.nothing }}'}]", "nothing defines `vars.nothing`"),
        ("- a", "must be a mapping"),
    ],
)
def test_what_is_wrong_in_the_description_is_said_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    done = types(instance(tmp_path, text), "doctor")

    assert done.returncode == 2
    assert said in done.stderr
    assert "doctor.yaml" in done.stderr


def test_lint_judges_the_description_too(tmp_path: Path) -> None:
    text = """\
schemas:
  - {database: "{{ databases.main.url }}", applied: SELECT 1, folder: /, known: [x], pattern: a}
programs: [{name: "{{ params.x }}"}]
"""
    folder = instance(tmp_path, text)

    done = types(folder, "release", "lint", str(tmp_path / "releases/shop/2.0"))

    assert "pattern: has 0 groups, not one" in done.stdout
    assert "nothing defines `params.x`" in done.stdout


def test_nothing_is_started_that_an_open_run_may_have_stopped() -> None:
    start = Mending("start web", "supervisor.start", {"program": "web"})
    reload = Mending("have nginx load its configuration", "nginx.reload", {})
    faults = [
        Fault("stopped", "program web", "web is stopped", mending=start, host="one"),
        Fault("older", "nginx", "nginx serves an older one", mending=reload, host="one"),
    ]
    diagnosis = Diagnosis((), tuple(Told(fault, 0) for fault in faults))

    assert mendable(diagnosis) == faults
    assert mendable(diagnosis, during=RunState()) == faults[1:]


def test_of_two_that_mend_at_once_the_second_is_refused_until_the_first_is_gone(
    tmp_path: Path,
) -> None:
    folder = instance(tmp_path)
    first, second = open_session(folder), open_session(folder)
    fault = Fault("stopped", "program web", "web is stopped", host="here")

    with closing(mend(first, [fault], "ada")) as under_way:
        next(under_way)
        with pytest.raises(LockHeld, match="ada on"):
            list(mend(second, [fault], "bob"))

    assert [trouble for _, trouble in mend(second, [fault], "bob")]
    first.close()
    second.close()
