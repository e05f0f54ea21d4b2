"""The data catalogue's lab: it serves, it breaks where it says, it leaves nothing running."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from labs.catalogage.choice import DATABASE
from labs.catalogage.host import HostLab
from labs.catalogage.local import LocalLab
from labs.catalogage.traffic import Traffic

from changeover.instances.folder import open_instance
from tests.servers.program import await_outcome, left_behind

pytestmark = pytest.mark.live


def traffic(lab: LocalLab | HostLab) -> Traffic:
    return Traffic(lab.layout.client_url, str(lab.authority), rate=40).start()


def switch(lab: LocalLab, version: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Check a release out in place and migrate, as the guide does."""
    script = f"git checkout -q {version} && venv/bin/alembic upgrade head"
    return subprocess.run(
        ["sh", "-c", script],
        cwd=lab.layout.workdir,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def revision(lab: LocalLab) -> str:
    return lab.postgres.sql("SELECT version_num FROM alembic_version", DATABASE)


def test_users_get_pages_and_the_health_is_deep(lab: LocalLab) -> None:
    health = lab.site.health()

    assert health["version"] == "1.0.0"
    assert health["revision"] == health["expected"]
    page = lab.site.page()
    assert "<footer>Catalogue 1.0.0</footer>" in page
    assert page.count("<li>") == 10  # the newest ones: what other tests wrote may be among them


def test_the_pages_come_with_success_while_the_database_is_down(lab: LocalLab) -> None:
    lab.postgres.stop()

    assert "indisponible" in lab.site.page()
    assert not lab.site.healthy
    lab.postgres.start()
    assert await_outcome(lambda: lab.site.healthy, 30)


def test_the_stream_of_requests_counts_failures_and_keeps_what_was_acknowledged(
    lab: LocalLab,
) -> None:
    users = traffic(lab)
    assert await_outcome(lambda: users.acknowledged >= 3, 30)

    lab.supervisord.control("stop", "server")
    assert await_outcome(lambda: users.failed >= 3, 30)
    lab.supervisord.control("start", "server")
    assert await_outcome(lambda: lab.site.healthy, 30)
    report = users.stop()

    assert report.requests > len(report.failures) >= 3
    assert report.outage > 0
    assert users.lost(report.acknowledged) == []


def test_the_releases_have_the_difficulties_they_are_for(fresh_lab: LocalLab) -> None:
    lab = fresh_lab
    assert switch(lab, "1.1.0").returncode == 0
    before = revision(lab)
    assert switch(lab, "1.2.0").returncode == 0
    assert revision(lab) != before

    renamed = switch(lab, "1.3.0")
    assert "missing: APP_PUBLIC_URL" in renamed.stderr

    half_done = switch(lab, "1.4.0", APP_PUBLIC_URL="https://localhost")
    assert half_done.returncode != 0
    assert revision(lab) == "e96b13fa4c70"
    assert lab.postgres.sql("SELECT to_regclass('dataset_title') IS NULL", DATABASE) == "t"

    assert switch(lab, "1.4.1", APP_PUBLIC_URL="https://localhost").returncode == 0
    old_code = lab.postgres.sql(
        "SELECT count(*) FROM information_schema.columns WHERE column_name = 'summary'", DATABASE
    )
    assert old_code == "0"
    assert switch(lab, "1.5.0", APP_PUBLIC_URL="https://localhost").returncode == 0


def test_commits_are_the_same_on_every_machine(lab: LocalLab) -> None:
    expected = (Path(__file__).parent / "commits.txt").read_text()
    words = [
        "git",
        "-C",
        lab.layout.repository,
        "log",
        "--format=%H %D",
        "--decorate-refs=refs/tags",
    ]

    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout

    assert told.replace("tag: ", "") == expected


def test_nothing_is_left_of_a_lab_whose_servers_were_killed(lab: LocalLab) -> None:
    pids = [server.pid for server in (lab.supervisord, lab.nginx)]
    for pid in pids:
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    assert await_outcome(lambda: lab.supervisord.pid is None, 30)
    assert len(left_behind(lab.folder)) >= 3  # two programs, a worker of nginx

    lab.stop()

    assert left_behind(lab.folder) == []
    lab.resume()
    assert lab.site.healthy


@pytest.mark.parametrize("ssh", [False, True])
def test_the_instance_folder_can_be_read(lab: LocalLab, tmp_path: Path, ssh: bool) -> None:
    folder = lab.write_instance(tmp_path / "instance", ssh=ssh)

    instance, secrets = open_instance(folder)

    assert instance.product == "catalogage"
    assert secrets["database_url"] == lab.layout.database_url
    assert (folder / "age.key").stat().st_mode & 0o077 == 0


@pytest.mark.docker
def test_the_platform_runs_on_a_host_of_its_own(host_lab: HostLab) -> None:
    users = traffic(host_lab)
    assert await_outcome(lambda: users.acknowledged >= 3, 30)
    report = users.stop()

    assert report.failures == ()
    assert host_lab.host.run("supervisorctl status").count("RUNNING") == 2
    assert host_lab.sql("SELECT count(*) > 2000 FROM dataset", "catalogage") == "t"
