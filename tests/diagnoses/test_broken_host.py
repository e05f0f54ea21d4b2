"""The data catalogue on a host with systemd, broken for real in every way the doctor knows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from labs.catalogage.choice import PASSWORD
from labs.catalogage.host import HostLab

from changeover.engine.doctor import consult, mend
from changeover.engine.session import open_session
from changeover.model.diagnosis import Diagnosis, Fault
from tests.diagnoses.breakages import BREAKAGES, CODE, PAIRS, RESTARTED, Breakage, breakage
from tests.servers.program import await_outcome

pytestmark = [pytest.mark.live, pytest.mark.docker]
COMMAND = Path(sys.executable).with_name("changeover")
FAKETIME = Path("/usr/lib") / f"{os.uname().machine}-linux-gnu/faketime/libfaketime.so.1"


@dataclass(frozen=True)
class Ward:
    """A platform that is broken and mended over and over, and its instance."""

    lab: HostLab
    instance: Path

    def examine(self) -> Diagnosis:
        session = open_session(self.instance)
        try:
            return consult(session)
        finally:
            session.close()

    def finds(self, *faults: Breakage) -> Diagnosis:
        """Examine until programs that fall have fallen, and those that start have started."""
        wanted = {fault.kind for fault in faults}
        wanted |= {"endpoint-failing" for fault in faults if fault.seen}
        seen: list[Diagnosis] = []

        def found() -> bool:
            seen.append(self.examine())
            told = kinds(seen[-1])
            return wanted <= set(told) and told[0] in [fault.kind for fault in faults]

        await_outcome(found, 60)
        return seen[-1]

    def types(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, "-i", self.instance, *words], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def breaks(self, fault: Breakage) -> None:
        self._does(fault.breaks)

    def mends(self, fault: Breakage) -> None:
        """Do what the remedy says; where there is nothing to do by hand, `--fix` does it."""
        remedy = {"PASSWORD": self._role_password, "ENV": self._env}.get(fault.mends)
        if remedy:
            remedy()
        elif fault.mends:
            self._does(fault.mends)

    def settle(self) -> None:
        """Let the doctor mend what is left, until nothing is."""
        assert await_outcome(self._well, 90), self.types("doctor").stdout

    def _well(self) -> bool:
        """Mend what can be mended; one that is busy answers not every question the first time."""
        session = open_session(self.instance)
        try:
            found = consult(session)
            faults = [told.fault for told in found.findings if not told.depth]
            list(mend(session, [fault for fault in faults if fault.mending], "test"))
        finally:
            session.close()
        return kinds(found) == []

    def _does(self, script: str) -> None:
        """Run a script, and return once sshd, which it may have reloaded, lets one in again."""
        self.lab.host.run(script)
        assert await_outcome(lambda: self.lab.host.run("echo in", check=False) == "in\n", 30)

    def _role_password(self) -> None:
        quoted = PASSWORD.replace("'", "''")
        self.lab.sql(f"ALTER ROLE catalogage PASSWORD '{quoted}'")

    def _env(self) -> None:
        url = f'APP_DATABASE_URL="{self.lab.layout.database_url}"\n'
        self.lab.host.run(f"sed -i /APP_DATABASE_URL/d {CODE}/.env; cat >>{CODE}/.env", stdin=url)
        self.lab.host.run(RESTARTED)


@pytest.fixture(scope="module")
def ward(docker_engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    folder = tmp_path_factory.mktemp("ward")
    lab = HostLab(folder / "lab", f"changeover-ward-{os.getpid()}", rows=200)
    lab.start()
    for name, days in (("soon", 5), ("late", -2)):
        make_certificate(lab.folder / "tls", name, days)
        lab.host.send(lab.folder / "tls" / f"{name}.crt", "/etc/ssl/catalogage/")
    lab.host.send(FAKETIME, "/opt/libfaketime.so.1")
    instance = lab.write_instance(folder / "instance")
    told(instance, certificate_name="localhost")
    yield Ward(lab, instance)
    lab.remove()


def make_certificate(folder: Path, name: str, days: int) -> None:
    """Sign the server's key again, for a time that ends so many days from now."""
    subprocess.run(
        ["faketime", "-f", f"{days - 10}d", "openssl", "x509", "-req", "-in", "server.csr",
         "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "10", "-extfile", "extensions.cnf",
         "-extensions", "server", "-out", f"{name}.crt"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


def told(instance: Path, **variables: str) -> None:
    file = instance / "instance.yaml"
    written = yaml.safe_load(file.read_text())
    written["vars"].update(variables)
    file.write_text(yaml.safe_dump(written, sort_keys=False))


def kinds(diagnosis: Diagnosis) -> list[str]:
    """What was found, but that this machine is busy with other tests."""
    found = [told.fault.kind for told in diagnosis.findings]
    return [kind for kind in found if kind != "host-busy"]


def found(diagnosis: Diagnosis, kind: str) -> Fault:
    alike = [told.fault for told in diagnosis.findings if told.fault.kind == kind]
    assert alike, kinds(diagnosis)
    return alike[0]


def assert_found(diagnosis: Diagnosis, wanted: Breakage) -> None:
    faults = [t.fault for t in diagnosis.findings if t.fault.kind == wanted.kind]
    said = "\n".join(line for f in faults for line in (f.what, *f.evidence))
    assert wanted.says in said, (kinds(diagnosis), said)
    assert all(fault.remedy for fault in faults)


@pytest.mark.parametrize("fault", BREAKAGES, ids=lambda fault: fault.name)
def test_a_fault_is_named_with_its_evidence_and_mended_by_its_remedy(
    ward: Ward, fault: Breakage
) -> None:
    ward.breaks(fault)
    try:
        diagnosis = ward.finds(fault)
        assert_found(diagnosis, fault)
        assert kinds(diagnosis)[0] == fault.kind, "the cause stands first"
        failing = [t for t in diagnosis.findings if t.fault.kind == "endpoint-failing"]
        assert bool(failing) == fault.seen, kinds(diagnosis)
        assert all(t.depth for t in failing), "what users see is told below its cause"
    finally:
        ward.mends(fault)

    ward.settle()


def quick_and_slow() -> Iterator[object]:
    """Two pairs whenever tests run, the others where there is time."""
    for number, pair in enumerate(PAIRS):
        yield pytest.param(pair, id="+".join(pair), marks=[pytest.mark.fuzz] * (number > 1))


@pytest.mark.parametrize("names", list(quick_and_slow()))
def test_two_faults_at_once_are_both_found(ward: Ward, names: tuple[str, str]) -> None:
    both = [breakage(name) for name in names]
    for fault in both:
        ward.breaks(fault)
    try:
        diagnosis = ward.finds(*both)
        for fault in both:
            assert_found(diagnosis, fault)
    finally:
        for fault in reversed(both):
            ward.mends(fault)

    ward.settle()


@pytest.mark.parametrize(
    ("endpoint", "kind", "says"),
    [
        ({"resolve": "127.0.0.2"}, "not-reaching", "it answers as it must"),
        ({"url": "https://catalogue.invalid/"}, "name-unknown", "stands for no address"),
    ],
)
def test_users_who_do_not_get_to_a_platform_that_is_well(
    ward: Ward, tmp_path: Path, endpoint: dict[str, str], kind: str, says: str
) -> None:
    shutil.copytree(ward.instance, tmp_path / "instance")
    file = tmp_path / "instance/instance.yaml"
    written = yaml.safe_load(file.read_text())
    written["endpoints"] = [{**written["endpoints"][0], **endpoint}]
    file.write_text(yaml.safe_dump(written, sort_keys=False))

    diagnosis = Ward(ward.lab, tmp_path / "instance").examine()

    assert kinds(diagnosis) == [kind]
    fault = diagnosis.findings[0].fault
    assert says in "\n".join((fault.what, *fault.evidence))


def test_it_is_quick_and_works_without_any_run_before(ward: Ward) -> None:
    began = time.process_time()
    diagnosis = ward.examine()

    assert kinds(diagnosis) == []
    assert len(diagnosis.hosts[0].looked_at) == 14
    assert "A catalogue of datasets" in diagnosis.hosts[0].deployed[0]
    assert time.process_time() - began < 2
