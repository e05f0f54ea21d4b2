import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from changeover.errors import ActionFailed, InDoubt, OutOfTime
from changeover.hosts.command import Command, Completed, command, shell
from changeover.hosts.transport import ShellTransport
from tests.hosts.conftest import Opener
from tests.servers.program import await_outcome

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
CONTROLLER = """
import sys
from changeover.hosts.command import shell
from changeover.hosts.reach import Reach
from changeover.hosts.transport import ShellTransport
transport = ShellTransport(Reach("here"), sys.argv[1])
print("ready", flush=True)
script = 'echo effect >>"$1"; sleep 0.15; cat; echo end >>"$1"'
transport.once("r/s/1", shell(script, sys.argv[2], stdin=b"hello"), timeout=30, silence=None)
"""


def once(transport: ShellTransport, key: str, asked: Command, timeout: float = 30) -> Completed:
    return transport.once(key, asked, timeout=timeout, silence=None)


def effect(path: Path, script: str = "") -> Command:
    return shell(f'echo effect >>"$1"; {script}', str(path))


def test_a_key_runs_once_and_is_remembered(anywhere: ShellTransport, tmp_path: Path) -> None:
    asked = effect(tmp_path / "log", "echo out; echo err >&2; cat; exit 5").fed(b"in\0\xff")

    first = once(anywhere, "run/step@host/1/main", asked)
    again = once(anywhere, "run/step@host/1/main", asked)
    other = once(anywhere, "run/step@host/2/main", asked)

    assert first == again == other == Completed(5, "out\nin\0\ufffd", "err\n")
    assert (tmp_path / "log").read_text() == "effect\n" * 2


def test_keys_that_look_alike_are_different(here: ShellTransport, tmp_path: Path) -> None:
    keys = ["a/b", "a%2Fb", "a", "A", "a b", "é", "a/b/" + "x" * 300, "a/b/" + "x" * 301, "*", "."]
    for key in keys[:-1]:
        once(here, key, effect(tmp_path / "log"))

    assert (tmp_path / "log").read_text().count("effect") == len(keys) - 1


def test_folder_and_settings_hold_for_what_runs_once(here: ShellTransport) -> None:
    asked = Command(("sh", "-c", 'pwd; echo "$A"'), b"", "/usr", {"A": "it's"})

    assert once(here, "k", asked).stdout == "/usr\nit's\n"


def test_input_is_not_left_on_the_disk(here: ShellTransport, state: Path) -> None:
    for number, content in enumerate((b"canary", b"canary\xff", b"canary" * 30_000)):
        done = once(here, f"k{number}", command("cat", stdin=content))
        assert len(done.stdout) == len(content)
    for path in state.glob("once/*/out"):
        path.unlink()

    assert subprocess.run(["grep", "-r", "canary", str(state)], check=False).returncode == 1


def test_only_the_end_of_very_large_output_is_read_back(here: ShellTransport) -> None:
    done = once(here, "k", shell("yes | head -c 30000000; echo end"))

    assert done.stdout.endswith("y\nend\n")
    assert len(done.stdout) == 4 << 20


def test_a_daemon_left_behind_does_not_keep_it_running(here: ShellTransport) -> None:
    started = time.monotonic()

    done = once(here, "k", shell("sleep 300 >/dev/null 2>&1 & echo $!"))

    os.kill(int(done.stdout), signal.SIGKILL)
    assert time.monotonic() - started < 60


def test_at_the_limit_it_is_ended_and_that_is_its_outcome(
    here: ShellTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("changeover.hosts.once.CANCEL_LIMIT", 2)
    stubborn = shell("trap '' TERM; while :; do sleep 0.1; done")

    with pytest.raises(OutOfTime):
        once(here, "willing", command("sleep", "60"), timeout=2)
    with pytest.raises(OutOfTime):
        once(here, "stubborn", stubborn, timeout=2)

    assert once(here, "willing", command("sleep", "60")).code == 128 + signal.SIGTERM
    assert once(here, "stubborn", stubborn).code == 128 + signal.SIGKILL
    assert here.running() == ()


def test_silence_is_measured_by_what_it_prints(here: ShellTransport) -> None:
    talking = shell("for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.4; done")

    assert here.once("talking", talking, timeout=30, silence=2.5).ok
    with pytest.raises(OutOfTime, match="silent"):
        here.once("silent", shell("echo begun; sleep 60"), timeout=30, silence=0.5)


def test_eight_starters_start_it_once(another: Opener, tmp_path: Path) -> None:
    for number in range(5):
        asked = effect(tmp_path / f"log{number}", "sleep 0.1; echo done")

        transports = [another() for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            begun = [pool.submit(once, t, f"k{number}", asked) for t in transports]
        for transport in transports:
            transport.close()

        assert [b.result() for b in begun] == [Completed(0, "done\n", "")] * 8
        assert (tmp_path / f"log{number}").read_text() == "effect\n"


def killed_controller(state: Path, log: Path, delay: float) -> None:
    words = [sys.executable, "-c", CONTROLLER, str(state), str(log)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True) as controller:
        assert controller.stdout
        controller.stdout.readline()
        time.sleep(delay)  # the moment of the kill is the subject
        os.killpg(controller.pid, signal.SIGKILL)


def survives(another: Opener, state: Path, log: Path, delay: float) -> None:
    killed_controller(state, log, delay)
    script = 'echo effect >>"$1"; sleep 0.15; cat; echo end >>"$1"'

    done = once(another(), "r/s/1", shell(script, str(log), stdin=b"hello"))

    assert done == Completed(0, "hello", "")
    assert log.read_text() == "effect\nend\n"


@pytest.mark.parametrize("delay", [0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3])
def test_a_killed_controller_neither_loses_nor_repeats_it(
    another: Opener, state: Path, tmp_path: Path, delay: float
) -> None:
    survives(another, state, tmp_path / "log", delay)


@pytest.mark.fuzz
def test_controllers_killed_at_three_hundred_moments(another: Opener, tmp_path: Path) -> None:
    moment = random.Random(7)  # noqa: S311 - not for secrets
    for number in range(300):
        state, log = tmp_path / f"state{number}", tmp_path / f"log{number}"
        transport = another()
        transport.state_dir = str(state)
        survives(lambda transport=transport: transport, state, log, moment.uniform(0, 0.15))
        transport.close()


def test_what_died_without_a_word_is_in_doubt(
    here: ShellTransport, another: Opener, state: Path
) -> None:
    asked = command("sleep", "60")
    pool = ThreadPoolExecutor(1)
    follower = pool.submit(once, here, "k", asked)
    pid_file = state / "once" / "k" / "pid"
    assert await_outcome(lambda: pid_file.exists() and another().running() == ("k",), 30)
    pid = int(pid_file.read_text().split()[0])
    runner = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])

    os.kill(runner, signal.SIGKILL)

    with pytest.raises(InDoubt, match="did not live to say"):
        follower.result()
    with pytest.raises(InDoubt, match="did not live to say"):
        once(another(), "k", asked)
    os.killpg(pid, signal.SIGKILL)
    pool.shutdown()


def test_finished_runs_are_forgotten_and_running_ones_are_not(
    here: ShellTransport, another: Opener, state: Path
) -> None:
    for key in ("run1/a", "run1/b", "run11/a"):
        once(here, key, command("true"))
    long = threading.Thread(target=lambda: once(another(), "run1/long", command("sleep", "1.5")))
    long.start()
    assert await_outcome(lambda: here.running("run1/") == ("run1/long",), 30)

    here.retire("run1/")

    assert {p.name for p in (state / "once").iterdir()} == {"run11%2Fa", "run1%2Flong"}
    long.join()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    mounted = subprocess.run(words, capture_output=True, text=True, check=False)
    if mounted.returncode:  # not even root may, in most containers
        (pytest.fail if os.environ.get("CI") else pytest.skip)(mounted.stderr)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@root_only
def test_a_full_disk_never_leaves_it_half_started(another: Opener, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with small_disk(tmp_path / "disk") as disk:
        transport = another()
        transport.state_dir = str(disk / "state")
        assert once(transport, "before", command("true")).ok
        subprocess.run(["sh", "-c", 'cat /dev/zero >"$1"', "sh", disk / "ballast"], check=False)

        with pytest.raises(ActionFailed, match="could not be started"):
            once(transport, "full", effect(log))
        assert not log.exists()

        (disk / "ballast").unlink()
        assert once(transport, "full", effect(log)).ok
        assert log.read_text() == "effect\n"
        transport.close()


@root_only
def test_the_exit_code_survives_a_disk_that_fills_meanwhile(
    another: Opener, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        transport = another()
        transport.state_dir = str(disk / "state")
        fill = shell('cat /dev/zero >"$1" || exit 7', str(disk / "ballast"))

        assert once(transport, "k", fill).code == 7
        transport.close()


@root_only
def test_a_disk_that_fills_while_content_arrives_is_told_from_a_host_that_is_away(
    another: Opener, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        transport = another()
        transport.state_dir = str(disk / "state")
        assert transport.lock_take(1, "test", 30) is None

        with pytest.raises(ActionFailed, match="no room for 8000000 bytes") as refused:
            transport.write(str(tmp_path / "x"), b"x" * 8_000_000, mode=0o600, owner="", group="")
        with pytest.raises(ActionFailed, match=r"No space left|I/O error") as full:
            transport.write(str(disk / "y"), b"y" * 65_000, mode=0o600, owner="", group="")

        assert "Make room" in refused.value.remedy
        assert "Make room" in full.value.remedy
        transport.write(str(tmp_path / "x"), b"small", mode=0o600, owner="", group="")
        assert (tmp_path / "x").read_bytes() == b"small"
        transport.close()
