"""The servers other tests rely on do start, answer, stop, and die with their starter."""

import os
import signal
import ssl
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path

import pytest

from tests.servers.container import ContainerHost
from tests.servers.nginx import Nginx, certificate
from tests.servers.postgres import Postgres
from tests.servers.program import NotStarted, Program, answers, await_outcome, free_port
from tests.servers.sshd import Sshd
from tests.servers.supervisord import Supervisord

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[2]


def ssh(server: Sshd, alias: str, command: str, stdin: str = "") -> str:
    words = ["ssh", "-F", str(server.config), alias, command]
    return subprocess.run(words, input=stdin, capture_output=True, text=True, check=True).stdout


def test_a_database_belongs_to_an_owner_that_is_no_superuser(database: str) -> None:
    asked = "SELECT rolname = current_database(), rolsuper FROM pg_roles WHERE rolname = user"

    done = subprocess.run(
        ["psql", "-XAtc", asked, database], capture_output=True, text=True, check=False
    )

    assert done.stdout.strip() == "t|f"


def test_a_cluster_keeps_its_rows_over_a_restart(own_postgres: Postgres) -> None:
    own_postgres.sql("CREATE TABLE kept AS SELECT 1 AS n")

    own_postgres.stop()
    own_postgres.start()

    assert own_postgres.sql("SELECT n FROM kept") == "1"


def test_each_alias_is_a_host_with_a_home_of_its_own(sshd: Sshd) -> None:
    ssh(sshd, "host1", "cat > note", stdin="one")

    assert ssh(sshd, "host1", "pwd; cat note") == f"{sshd.home('host1')}\none"
    assert "note" not in ssh(sshd, "host2", "ls").split()


def test_the_inner_host_is_reached_through_the_jump_host(sshd: Sshd) -> None:
    assert ssh(sshd, "inner", "echo $HOME").strip() == str(sshd.home("inner"))


def test_cutting_ends_the_session_and_not_the_command(own_sshd: Sshd) -> None:
    home = own_sshd.home("host1")
    words = [
        "ssh",
        "-F",
        str(own_sshd.config),
        "host1",
        "trap '' HUP; mkfifo p; read x < p; echo > end",
    ]
    session = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert await_outcome((home / "p").exists, 30)

    own_sshd.cut()

    assert session.wait(10) == 255
    (home / "p").write_text("go\n")
    assert await_outcome((home / "end").exists, 30)


def test_nginx_serves_a_site_with_tls_of_our_own_authority(nginx: Nginx, tmp_path: Path) -> None:
    authority, public = certificate(tmp_path / "tls")
    port = free_port()
    nginx.write_site(
        "tls",
        f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {public};"
        f" ssl_certificate_key {public.with_suffix('.key')}; return 200 hello; }}",
    )

    nginx.reload()

    trusted = ssl.create_default_context(cafile=authority)
    with urllib.request.urlopen(f"https://localhost:{port}/", context=trusted) as answer:
        assert answer.read() == b"hello"


def test_supervisord_runs_a_program_and_stops_it(supervisord: Supervisord) -> None:
    supervisord.write_program("one", "[program:one]\ncommand=sleep 1000\nstartsecs=0\n")

    supervisord.control("update")

    assert await_outcome(lambda: "RUNNING" in supervisord.control("status", "one").stdout, 30)
    pid = int(supervisord.control("pid", "one").stdout)
    supervisord.stop()
    assert not Path(f"/proc/{pid}").exists()


def test_a_program_that_ends_at_once_shows_its_last_words(tmp_path: Path) -> None:
    program = Program("short", tmp_path, ("sh", "-c", "echo no licence >&2; exit 3"))

    with pytest.raises(NotStarted, match="no licence"):
        program.start(lambda: False)


def test_servers_die_with_a_starter_that_is_killed(tmp_path: Path) -> None:
    port = free_port()
    text = f"""
        import os, pathlib, signal
        from tests.servers.nginx import Nginx
        server = Nginx(pathlib.Path({str(tmp_path / "n")!r}))
        server.sites.mkdir(parents=True)
        server.write_site("s", "server {{ listen 127.0.0.1:{port}; return 200 hello; }}")
        server.start()
        os.kill(os.getpid(), signal.SIGKILL)
    """

    done = subprocess.run([sys.executable, "-c", textwrap.dedent(text)], cwd=ROOT, check=False)

    assert done.returncode == -signal.SIGKILL
    assert await_outcome(lambda: not answers(port), 30)


def test_a_server_left_by_another_process_is_stopped_by_its_folder(tmp_path: Path) -> None:
    words = ("sleep", "1000")
    code = f"""
        from pathlib import Path
        from tests.servers.program import Program
        Program("left", Path({str(tmp_path)!r}), {words}, tied=False).start(lambda: True)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, check=True)
    program = Program("left", tmp_path, words, tied=False)
    pid = program.pid
    assert pid is not None

    program.stop()

    assert program.pid is None
    assert await_outcome(lambda: not Path(f"/proc/{pid}").exists(), 30)


def test_a_pid_that_was_given_to_somebody_else_is_not_ours(tmp_path: Path) -> None:
    program = Program("old", tmp_path, ("sleep", "1"))
    program.pid_file.write_text(f"{os.getpid()} 1")

    assert program.pid is None


@pytest.mark.docker
def test_a_container_host_has_systemd_and_lets_root_in(container_host: ContainerHost) -> None:
    assert container_host.run("cat /proc/1/comm; systemctl is-active ssh") == "systemd\nactive\n"
