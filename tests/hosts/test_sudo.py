import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.errors import NotReady, Unreachable
from changeover.hosts.command import command
from changeover.hosts.reach import Reach
from changeover.hosts.transport import ShellTransport
from changeover.model.secret import Masker

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        os.geteuid() != 0 or not shutil.which("sudo"), reason="only root makes users for sudo"
    ),
]
PASSWORD = "pass $word' \\ é"


@pytest.fixture(scope="module")
def user() -> Iterator[str]:
    name = f"co-test-{os.getpid()}"
    subprocess.run(["useradd", "--no-create-home", "--shell", "/bin/sh", name], check=True)
    subprocess.run(["chpasswd"], input=f"{name}:{PASSWORD}\n", text=True, check=True)
    yield name
    subprocess.run(["userdel", name], check=True)


@pytest.fixture
def rule(user: str) -> Iterator[Path]:
    path = Path(f"/etc/sudoers.d/changeover-test-{os.getpid()}")
    yield path
    path.unlink(missing_ok=True)


def allow(rule: Path, user: str, how: str) -> None:
    rule.write_text(
        f"Defaults:{user} timestamp_timeout=0, passwd_tries=3\n{user} ALL=(ALL) {how}\n"
    )
    rule.chmod(0o440)


def through_sudo(user: str, state: Path, password: str | None) -> ShellTransport:
    words = ("runuser", "-u", user, "--", "/bin/sh", "-c")
    given = None if password is None else lambda: password
    return ShellTransport(Reach("web1", lambda: words, "sudo", given), str(state))


def who(transport: ShellTransport) -> str:
    try:
        return transport.run(command("id", "-un"), timeout=20, silence=None).stdout.strip()
    finally:
        transport.close()


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_sudo_without_a_password_never_hands_one_to_a_program(
    user: str, rule: Path, state: Path, password: str | None
) -> None:
    allow(rule, user, "NOPASSWD: ALL")

    assert who(through_sudo(user, state, password)) == "root"


def test_sudo_takes_its_password_on_standard_input(user: str, rule: Path, state: Path) -> None:
    allow(rule, user, "ALL")

    assert who(through_sudo(user, state, PASSWORD)) == "root"


def test_a_wrong_password_is_tried_once_and_said(user: str, rule: Path, state: Path) -> None:
    allow(rule, user, "ALL")

    with pytest.raises(NotReady, match="did not take the password") as told:
        who(through_sudo(user, state, "wrong"))

    assert "become_password" in told.value.remedy
    assert "wrong" not in told.value.message


def test_a_missing_password_is_said(user: str, rule: Path, state: Path) -> None:
    allow(rule, user, "ALL")

    with pytest.raises(NotReady, match="asks for a password"):
        who(through_sudo(user, state, None))


def test_a_user_sudo_does_not_know_is_a_clear_error(user: str, state: Path) -> None:
    with pytest.raises((NotReady, Unreachable)) as told:
        who(through_sudo(user, state, PASSWORD))

    assert "sudo" in told.value.message + told.value.remedy
    assert PASSWORD not in told.value.message


def test_root_needs_no_sudo(state: Path) -> None:
    transport = ShellTransport(Reach("here", None, "sudo"), str(state), Masker())

    assert who(transport) == "root"
