import hashlib
import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from changeover.errors import ActionFailed, InvalidInput, OutOfTime, Unreachable
from changeover.hosts.command import Command, Completed, command, shell
from changeover.hosts.transport import ShellTransport
from tests.hosts.conftest import Opener
from tests.servers.program import await_outcome

LOGIN_SHELLS = [s for s in ("dash", "bash", "zsh", "fish", "tcsh") if shutil.which(s)]


def run(transport: ShellTransport, command: Command, timeout: float = 30) -> Completed:
    return transport.run(command, timeout=timeout, silence=None)


def test_code_output_and_errors_are_kept_apart(anywhere: ShellTransport) -> None:
    done = run(anywhere, shell("echo out; echo err >&2; exit 3"))

    assert done == Completed(3, "out\n", "err\n")


def test_words_arrive_as_they_are(anywhere: ShellTransport) -> None:
    words = ("", "a b", "it's", '"$HOME"', "`id`", "\\n", "*", "line\nbreak", "é", "co_go", "-n")

    done = run(anywhere, command("printf", "[%s]", *words))

    assert done.stdout == "".join(f"[{word}]" for word in words)


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 9_000_001])
def test_input_of_any_size_and_any_bytes_arrives_whole(anywhere: ShellTransport, size: int) -> None:
    content = (bytes(range(256)) * (size // 256 + 1))[:size]

    done = run(anywhere, command("sha256sum", stdin=content))

    assert done.stdout.split()[0] == hashlib.sha256(content).hexdigest()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(st.text(max_size=40), st.binary(max_size=80))
def test_neither_words_nor_input_can_leave_their_place(
    here: ShellTransport, word: str, content: bytes
) -> None:
    word = word.replace("\0", "").encode(errors="ignore").decode()

    done = run(here, shell('printf %s "$1"; exec cat >&2', word, stdin=content))

    assert done == Completed(0, word, content.decode(errors="replace"))


def test_input_a_program_does_not_read_harms_nobody(anywhere: ShellTransport) -> None:
    run(anywhere, command("true", stdin=b"exit 9\n" * 30_000))

    assert run(anywhere, command("echo", "on")).stdout == "on\n"


def test_a_program_without_input_reads_nothing_of_the_protocol(anywhere: ShellTransport) -> None:
    assert run(anywhere, command("cat")) == Completed(0, "", "")
    assert run(anywhere, shell("head -c 1 <&0; echo ok")).stdout == "ok\n"


def test_folder_and_settings_are_the_commands_own(anywhere: ShellTransport) -> None:
    asked = Command(("sh", "-c", 'pwd; echo "$A-$B"'), cwd="/usr", env={"A": "x y", "B": "it's"})

    assert run(anywhere, asked).stdout == "/usr\nx y-it's\n"
    assert run(anywhere, shell('pwd; echo "${A-none}"')).stdout == "/\nnone\n"


def test_a_folder_that_is_not_there_keeps_the_command_from_running(here: ShellTransport) -> None:
    done = run(here, command("echo", "ran", cwd="/not/there"))

    assert done.code != 0
    assert done.stdout == ""
    assert "/not/there" in done.stderr


def test_a_program_that_is_not_there_says_so(anywhere: ShellTransport) -> None:
    done = run(anywhere, command("no-such-program"))

    assert done.code == 127
    assert "no-such-program" in done.stderr


@pytest.mark.parametrize("asked", [command(), command("echo", "a\0b"), command("id", cwd="usr")])
def test_what_cannot_be_a_command_is_refused(here: ShellTransport, asked: Command) -> None:
    with pytest.raises(InvalidInput):
        run(here, asked)


def test_paths_of_administration_and_a_unicode_locale_are_set(anywhere: ShellTransport) -> None:
    done = run(anywhere, shell('echo "$PATH"; echo "$LC_ALL"; umask'))

    path, locale, mask = done.stdout.splitlines()
    assert {"/usr/sbin", "/sbin", "/usr/local/sbin"} <= set(path.split(":"))
    assert locale == "C.UTF-8"
    assert int(mask, 8) == 0o022


def test_interrupts_are_not_ignored(anywhere: ShellTransport) -> None:
    done = run(anywhere, command("grep", "SigIgn", "/proc/self/status"))

    assert int(done.stdout.split()[1], 16) & 0b110 == 0


def test_the_operators_environment_stays_at_home(
    another: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANGEOVER_CANARY", "secret")

    assert "secret" not in run(another(), command("env")).stdout


def test_at_the_limit_the_whole_group_ends_and_the_shell_goes_on(
    anywhere: ShellTransport, tmp_path: Path
) -> None:
    children = shell('sleep 61.5 & sleep 62.5 & echo "$!" >"$1"; wait', str(tmp_path / "child"))

    with pytest.raises(OutOfTime, match=r"longer than 2 s"):
        run(anywhere, children, timeout=2)

    child = int((tmp_path / "child").read_text())
    assert await_outcome(lambda: not Path(f"/proc/{child}").exists(), 30)
    assert run(anywhere, command("echo", "on")).stdout == "on\n"


def test_a_program_that_does_not_want_to_end_is_ended(
    here: ShellTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("changeover.hosts.channel.STOP_GRACE", 0.3)

    with pytest.raises(OutOfTime):
        run(here, shell("trap '' TERM; while :; do sleep 0.1; done"), timeout=0.3)

    assert run(here, command("echo", "on")).stdout == "on\n"


def test_silence_has_a_limit_of_its_own(anywhere: ShellTransport) -> None:
    talking = shell("for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done")
    assert anywhere.run(talking, timeout=30, silence=2).ok

    with pytest.raises(OutOfTime, match=r"silent for longer than 0\.3 s"):
        anywhere.run(shell("echo started; sleep 60"), timeout=30, silence=0.3)


def test_endless_output_is_ended_with_a_clear_error(here: ShellTransport) -> None:
    with pytest.raises(ActionFailed, match="more than 16 MiB"):
        run(here, command("yes"))

    assert run(here, command("echo", "on")).stdout == "on\n"


def test_large_output_arrives_whole(anywhere: ShellTransport) -> None:
    done = run(anywhere, shell("yes changeover | head -c 12000000"))

    assert done.stdout == ("changeover\n" * 1_100_000)[:12_000_000]


def test_what_a_daemon_prints_later_belongs_to_nobody(here: ShellTransport, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    loud = shell('(while [ ! -e "$1" ]; do sleep 0.02; done; echo noise) & echo ready', str(flag))
    assert run(here, loud).stdout == "ready\n"

    flag.touch()
    time.sleep(0.2)  # nothing tells when the daemon has spoken: that is the point

    assert run(here, command("echo", "clean")).stdout == "clean\n"


def test_no_secret_is_ever_an_argument(anywhere: ShellTransport, tmp_path: Path) -> None:
    secrets = [b"hunter2-canary", b"hunter2-canary\xff", b"hunter2-canary" * 9000]
    seen: list[bytes] = []

    def look() -> None:
        while not stop.is_set():
            seen.extend(_arguments())

    stop = threading.Event()
    watcher = threading.Thread(target=look)
    watcher.start()
    for number, secret in enumerate(secrets):
        run(anywhere, shell("cat >/dev/null; sleep 0.1", stdin=secret))
        anywhere.write(str(tmp_path / "f"), secret, mode=0o600, owner="", group="")
        anywhere.once(f"k{number}", shell("cat; sleep 0.1", stdin=secret), timeout=9, silence=None)
    stop.set()
    watcher.join()

    assert seen
    assert not [line for line in seen if b"canary" in line or b"aHVudGVyMi1jYW5hc" in line]


def _arguments() -> list[bytes]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.append((folder / "cmdline").read_bytes() + (folder / "environ").read_bytes())
        except OSError:
            continue
    return found


def test_a_shell_that_died_is_unreachable_once_and_then_opened_again(
    anywhere: ShellTransport,
) -> None:
    with pytest.raises(Unreachable):
        run(anywhere, shell('kill -KILL "$PPID"'))

    assert run(anywhere, command("echo", "back")).stdout == "back\n"


@pytest.mark.parametrize("login", LOGIN_SHELLS)
def test_any_login_shell_leads_to_a_posix_shell(another: Opener, login: str) -> None:
    transport = another(words=(login, "-c"))

    assert run(transport, shell('echo "$1"', "it's $HOME")).stdout == "it's $HOME\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_a_command_may_run_as_another_user(anywhere: ShellTransport, tmp_path: Path) -> None:
    asked = Command(
        ("sh", "-c", 'id -un; echo "$HOME $A"; cat'), b"in", "/usr", {"A": "x"}, "nobody"
    )

    assert run(anywhere, asked).stdout == "nobody\n/nonexistent x\nin"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_the_limit_also_ends_what_runs_as_another_user(here: ShellTransport) -> None:
    with pytest.raises(OutOfTime):
        run(here, command("sleep", "63.25", user="nobody"), timeout=0.5)

    assert await_outcome(lambda: not run(here, command("pgrep", "-f", "sleep 63.2[5]")).ok, 30)


def test_many_threads_may_ask_one_host(here: ShellTransport) -> None:
    answers: list[str] = []

    def ask(number: int) -> None:
        answers.append(run(here, command("echo", str(number))).stdout)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(int, answers)) == list(range(20))
