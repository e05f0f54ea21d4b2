import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from changeover.hosts.command import command, shell
from changeover.hosts.transport import ShellTransport
from tests.hosts.conftest import Opener
from tests.servers.program import await_outcome

# A controller that takes the lease, starts something, and does not live to see its end.
CONTROLLER = """
import sys
from changeover.hosts.command import shell
from changeover.hosts.reach import Reach
from changeover.hosts.transport import ShellTransport
transport = ShellTransport(Reach("here"), sys.argv[1])
transport.lock_take(1, "dead", 30)
print("ready", flush=True)
transport.run(shell(sys.argv[2], *sys.argv[3:]), timeout=60, silence=None)
"""


def dead_controller(state: Path, script: str, *arguments: str) -> None:
    words = [sys.executable, "-c", CONTROLLER, str(state), script, *arguments]
    with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True) as controller:
        assert controller.stdout
        controller.stdout.readline()
        assert await_outcome(lambda: Path(arguments[0]).exists(), 30)
        os.killpg(controller.pid, signal.SIGKILL)


def test_what_a_dead_controller_started_is_found_and_waited_for(
    here: ShellTransport, state: Path, tmp_path: Path
) -> None:
    started, go, done = (tmp_path / name for name in ("started", "go", "done"))
    script = 'touch "$1"; while [ ! -e "$2" ]; do sleep 0.05; done; touch "$3"'
    dead_controller(state, script, *map(str, (started, go, done)))
    here.lock_take(2, "heir", 30, force=True)

    left = here.leftover()
    assert left is not None
    assert "touch" in str(left)
    assert not here.wait_leftover(0.3)
    threading.Timer(0.3, go.touch).start()
    assert here.wait_leftover(10)

    assert done.exists()
    assert here.leftover() is None


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "])
def test_what_a_dead_controller_started_is_ended(
    here: ShellTransport,
    state: Path,
    tmp_path: Path,
    trap: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("changeover.hosts.leases.END_GRACE", 0.5)
    started = tmp_path / "started"
    dead_controller(state, f'{trap}touch "$1"; while :; do sleep 0.05; done', str(started))
    here.lock_take(2, "heir", 30, force=True)
    assert here.leftover() is not None

    assert here.end_leftover()

    assert here.leftover() is None


def test_daemons_and_what_ended_are_not_left_over(
    here: ShellTransport, another: Opener, tmp_path: Path
) -> None:
    here.lock_take(1, "first", 30)
    here.run(shell("sleep 3 >/dev/null 2>&1 &"), timeout=9, silence=None)
    here.run(command("true"), timeout=9, silence=None)
    here.write(str(tmp_path / "f"), b"", mode=0o600, owner="", group="")
    here.close()

    assert another().leftover() is None


def test_a_live_shell_of_this_process_is_not_left_over(
    here: ShellTransport, another: Opener, tmp_path: Path
) -> None:
    here.lock_take(1, "first", 30)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(
            here.run, shell('touch "$1"; sleep 1', str(tmp_path / "on")), timeout=9, silence=None
        )
        assert await_outcome((tmp_path / "on").exists, 30)

        assert another().leftover() is None
        running.result()
