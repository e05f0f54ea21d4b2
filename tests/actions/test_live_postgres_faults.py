"""Full disks, killed backups, and passwords that must be seen nowhere."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.findings import Severity
from tests.actions.database_host import attempt, done, this_host
from tests.servers.postgres import Postgres
from tests.servers.program import await_outcome

pytestmark = pytest.mark.live

CANARY = "canary-7f3a-w0rd"


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """A database that takes a moment to back up, with a password to look for."""
    name = f"faults{os.getpid()}"
    yield postgres.create_database(name, owner=name, password=CANARY)
    for word in ("", "_changeover_new", "_changeover_old", "_changeover_scratch"):
        postgres.drop_database(name + word)
    postgres.sql(f'DROP ROLE "{name}"')


def fill(url: str, rows: int) -> None:
    sql = """CREATE TABLE big AS
        SELECT i, md5(i::text) || md5((-i)::text) AS t FROM generate_series(1, N) i"""
    subprocess.run(["psql", "-Xq", "-d", url, "-c", sql.replace("N", str(rows))], check=True)


def visible(word: str) -> list[str]:
    """Name every process whose words or environment hold a word, this one and its parents aside."""
    found = []
    own = {os.getpid(), os.getppid()}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) not in own:
            with contextlib.suppress(OSError):
                text = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
                if word.encode() in text:
                    found.append(text.split(b"\0")[0].decode(errors="replace"))
    return found


def test_a_password_is_seen_nowhere(url: str, host: Host, postgres: Postgres) -> None:
    fill(url, 10)
    scripts = [{"name": "1", "content": "SELECT pg_sleep(1.5)"}]
    asleep = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND state = 'active'"
    )
    seen: list[str] = []

    def look() -> None:
        await_outcome(lambda: postgres.sql(asleep) != "0", 30)
        seen.extend(visible(CANARY))

    looking = threading.Thread(target=look)
    looking.start()
    done(host, "postgres.migrate", database=url, scripts=scripts, backup="none")
    looking.join()
    done(host, "postgres.backup", database=url)
    broken = [{"name": "2", "content": "SELECT 1/0"}]
    action = build("postgres.migrate", {"database": url, "scripts": broken, "backup": "none"})
    change = action.plan(host)
    with pytest.raises(ActionFailed) as caught:
        action.apply(attempt(host), change)

    assert seen == []
    kept = [f for f in Path(host.state_dir).rglob("*") if f.is_file()]
    assert kept
    for form in (CANARY, quote(CANARY)):
        assert form not in f"{caught.value} {caught.value.remedy} {change}"
        assert not [f for f in kept if form.encode() in f.read_bytes()]
    assert not list(Path("/dev/shm").glob("changeover.*"))  # noqa: S108 - where it passes through


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_fails_the_backup_and_leaves_nothing_that_counts(
    url: str, tmp_path: Path
) -> None:
    fill(url, 200_000)
    disk = tmp_path / "state"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=False
    )
    if mounted.returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("nobody may mount here")
    try:
        with this_host(tmp_path) as host:
            action = build("postgres.backup", {"database": url})
            findings = [f for f in action.check(host) if f.severity is Severity.FAIL]
            with pytest.raises(ActionFailed, match=r"broke off without a word; .* has .* free"):
                action.apply(attempt(host), action.plan(host))
            restorable = "".join(
                f.message for f in build("postgres.restore", {"database": url}).check(host)
            )
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)

    assert "free, the database has" in findings[0].message
    assert "no verified backup" in restorable


def test_a_backup_killed_on_the_host_is_made_again(
    url: str, host: Host, postgres: Postgres
) -> None:
    fill(url, 400_000)
    action = build("postgres.backup", {"database": url, "verify_by": "archive"})
    dumping = "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^COPY public.big'"

    def kill() -> None:
        await_outcome(lambda: postgres.sql(dumping) != "0", 30)
        name = url.rpartition("/")[2]
        found = subprocess.run(
            ["pgrep", "-f", f"dbname={name}"], capture_output=True, text=True, check=False
        )
        for pid in map(int, found.stdout.split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(ActionFailed, match="was cut off on the host"):
        action.apply(attempt(host), action.plan(host))
    killer.join()
    done(host, "postgres.backup", database=url, verify_by="archive")

    left = {f.suffix for f in Path(host.state_dir).glob("backups/*/*")}
    assert left == {".dump", ".rows", ".schema", ".sequences", ".database", ".json"}


def test_a_superusers_session_stops_a_restore_and_harms_nothing(
    url: str, host: Host, postgres: Postgres
) -> None:
    name = url.rpartition("/")[2]
    postgres.sql(f'ALTER ROLE "{name}" CREATEDB')
    fill(url, 10)
    done(host, "postgres.backup", database=url)
    postgres.sql("DELETE FROM big WHERE i > 4", name)
    sessions = f"FROM pg_stat_activity WHERE datname = '{name}'"
    connected = f"SELECT count(*) {sessions}"
    words = ["psql", "-Xq", "-d", postgres.url(name), "-c", "SELECT pg_sleep(60)"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL):
        assert await_outcome(lambda: postgres.sql(connected) == "1", 30)
        with pytest.raises(ActionFailed, match="accessed by other users") as refused:
            done(host, "postgres.restore", database=url)
        postgres.sql(f"SELECT pg_terminate_backend(pid) {sessions}")
    assert await_outcome(lambda: postgres.sql(connected) == "0", 30)
    left = postgres.sql("SELECT count(*) FROM big", name)

    done(host, "postgres.restore", database=url)

    assert "A superuser's session holds it" in refused.value.remedy
    assert left == "4"
    assert postgres.sql("SELECT count(*) FROM big", name) == "10"
