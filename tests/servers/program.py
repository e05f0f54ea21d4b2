"""One server program in the foreground: started, awaited, stopped, reaped when orphaned."""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MARK = "CHANGEOVER_LAB"
"""The environment variable that names the folder a program and its children belong to."""
MARKED = f"{MARK}=".encode()
SEARCHED = ("/usr/sbin", "/sbin", "/usr/lib/openssh")
PORTS = range(20_000, 32_000)
"""Below what the kernel gives to clients: no connection takes one before its server does."""
_given: set[int] = set()


class NotStarted(RuntimeError):
    """A server program did not come up; the text ends with the last lines of its log."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, and that no caller was given before."""
    tried = secrets.SystemRandom().sample(PORTS, 1000)
    port = next(port for port in tried if port not in _given and _unused(port))
    _given.add(port)
    return port


def _unused(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


def program_path(name: str, *folders: Path) -> str:
    """The path of an installed program, also where an ordinary user's PATH does not look."""
    places = [*map(str, folders), os.environ.get("PATH", os.defpath), *SEARCHED]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        raise NotStarted(f"{name}: not installed. Try: make setup")
    return found


def await_outcome(ask: Callable[[], bool], seconds: float) -> bool:
    """Ask again, ever more slowly, until the answer is yes or the time is over."""
    end, pause = time.monotonic() + seconds, 0.005
    while not ask():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    return True


def answers(port: int) -> bool:
    """Whether somebody accepts connections on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def birth(pid: int) -> str | None:
    """The start time of a living process in clock ticks; with its id it names one for good."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


def left_behind(folder: Path) -> list[int]:
    """Processes that belong to a folder of servers, whoever started them and whether he lives."""
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _belongs(entry, folder)]


def _belongs(entry: Path, folder: Path) -> bool:
    try:
        # nginx and PostgreSQL write their titles over their environment.
        if (entry / "comm").read_text().strip() in ("nginx", "postgres"):
            return (entry / "cwd").readlink().is_relative_to(folder)
        variables = (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    given = [text.decode(errors="replace") for text in variables if text.startswith(MARKED)]
    return any(Path(text.partition("=")[2]).is_relative_to(folder) for text in given)


def reap(folder: Path) -> None:
    """End what a killed starter left running in a folder: politely first, then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in left_behind(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if await_outcome(lambda: not left_behind(folder), 5):
            return


@dataclass(frozen=True)
class Program:
    """A server that stays in the foreground; its folder holds the pid file and the log."""

    name: str
    folder: Path
    words: tuple[str, ...]
    user: str | None = None
    """The account it runs as, where the starter is root; none keeps the starter's."""
    tied: bool = True
    """Whether it dies with its starter, even when that one is killed."""
    stop_signal: signal.Signals = signal.SIGTERM
    env: tuple[tuple[str, str], ...] = ()

    @property
    def pid_file(self) -> Path:
        """Holds the process id and its start time."""
        return self.folder / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        """What the program printed."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """The id of the running process; none when it does not run (a reused id is not it)."""
        try:
            number, born = self.pid_file.read_text().split()
        except (OSError, ValueError):
            return None
        return int(number) if birth(int(number)) == born else None

    def start(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Start, and return when `ready` says so; raises NotStarted with the end of the log."""
        self.stop()
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                [*self.prefix(), *self.words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, MARK: str(self.folder), **dict(self.env)},
                start_new_session=True,
            )
        self.pid_file.write_text(f"{child.pid} {birth(child.pid) or 0}")
        child_gone = False

        def settled() -> bool:
            nonlocal child_gone
            child_gone = child.poll() is not None
            return child_gone or ready()

        if not await_outcome(settled, seconds) or child_gone:
            self.stop()
            raise NotStarted(f"{self.name}: did not come up: {self._last_lines()}")
        child.returncode = 0  # it outlives this object on purpose: no ResourceWarning

    def stop(self, seconds: float = 15) -> None:
        """Stop it whoever started it: its own signal first, then SIGKILL for the whole group."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, self.stop_signal)
            if not await_outcome(lambda: self._gone(pid), seconds):
                os.killpg(pid, signal.SIGKILL)
                await_outcome(lambda: self._gone(pid), seconds)
        self.pid_file.unlink(missing_ok=True)

    def _gone(self, pid: int) -> bool:
        with contextlib.suppress(ChildProcessError):  # another process started it
            os.waitpid(pid, os.WNOHANG)
        return self.pid != pid

    def prefix(self) -> list[str]:
        """The words in front of a command that give it this program's account and tie."""
        words = []
        if self.user is not None and os.geteuid() == 0:
            account = pwd.getpwnam(self.user)
            words += ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid)]
            words += ["--clear-groups"]
        if self.tied:
            words += ["--pdeathsig", self.stop_signal.name.removeprefix("SIG")]
        return ["setpriv", *words, "--"] if words else []

    def _last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
