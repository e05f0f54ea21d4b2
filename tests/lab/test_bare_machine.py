"""First contact: a Debian with nothing but git, make, python3 and certificates."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.servers.container import SCRIPTS, docker

pytestmark = [pytest.mark.docker, pytest.mark.fuzz]
ROOT = Path(__file__).parents[2]
PASSED_ON = ("PIP_CERT", "PIP_DEFAULT_TIMEOUT", "SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY")
"""What a network that inspects TLS or has a proxy needs; empty on most machines."""


def bare(suite: str, clone: Path, script: str) -> "subprocess.CompletedProcess[str]":
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    subprocess.run([SCRIPTS / "images/build", "bare", suite], check=True)
    given = [word for name in PASSED_ON if name in os.environ for word in ("-e", name)]
    words = ["docker", "run", "--rm", "--network=host", "-v", f"{clone}:/root/changeover", *given]
    words += ["-w", "/root/changeover", f"changeover-bare:{suite}", "bash", "-euc", script]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_setup_makes_the_command_and_starts_no_service(
    docker_engine: None, suite: str, tmp_path: Path
) -> None:
    script = """
        make setup
        .venv/bin/changeover --version
        make setup | wc -l
        ls -d /usr/sbin/policy-rc.d /etc/systemd/system/*.wants/nginx.service || true
        pgrep -l 'nginx|postgres|supervisord|sshd' || echo nothing runs
    """

    done = bare(suite, tmp_path / "clone", script)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "nginx: the web server in front of the platforms" in done.stdout
    assert lines[-1] == "nothing runs"
    assert lines[-2] == "0"


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_without_root_the_command_to_type_is_said(
    docker_engine: None, suite: str, tmp_path: Path
) -> None:
    script = """
        useradd -m somebody
        cp -r . /home/somebody/changeover
        chown -R somebody /home/somebody
        cd /home/somebody/changeover
        setpriv --reuid somebody --regid somebody --clear-groups make setup
    """

    done = bare(suite, tmp_path / "clone", script)

    assert done.returncode == 2
    command = "/home/somebody/changeover/scripts/setup --packages python3-venv"
    assert f"Type, as root: {command}" in done.stderr


def test_the_demonstration_runs_on_a_bare_machine(docker_engine: None, tmp_path: Path) -> None:
    done = bare("bookworm", tmp_path / "clone", "make setup; make demo; ls .lab")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost: 0" in done.stdout
    assert docker("ps", "-aq", "--filter", "ancestor=changeover-bare:bookworm") == ""
