"""A supervisord of its own: a unix socket and `conf.d/*.conf` in one folder."""

import hashlib
import shlex
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.servers.program import Program, program_path

CONFIG = """\
[unix_http_server]
file={socket}
chmod=0700

[supervisord]
logfile={folder}/supervisord.own.log
pidfile={folder}/supervisord.own.pid
childlogdir={folder}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{socket}

[include]
files = {folder}/conf.d/*.conf
"""


@dataclass(frozen=True)
class Supervisord:
    """One supervisord in the foreground."""

    folder: Path
    tied: bool = True

    @property
    def config(self) -> Path:
        """The main configuration file."""
        return self.folder / "supervisord.conf"

    @property
    def programs(self) -> Path:
        """The folder of the programs' files."""
        return self.folder / "conf.d"

    @property
    def words(self) -> tuple[str, ...]:
        """The `supervisorctl` that speaks to this supervisord; subcommands go after it."""
        return (*_command("supervisorctl"), "-c", str(self.config))

    def start(self) -> None:
        """Write the configuration where there is none, and serve."""
        self.programs.mkdir(parents=True, exist_ok=True)
        if not self.config.exists():
            self.config.write_text(CONFIG.format(folder=self.folder, socket=self._socket))
        self._program.start(lambda: self.control("pid").returncode == 0)

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The server's process id; none when it does not run."""
        return self._program.pid

    def stop(self) -> None:
        """Stop every program, then itself."""
        self._program.stop(seconds=30)

    def control(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run one subcommand of supervisorctl."""
        return subprocess.run([*self.words, *words], capture_output=True, text=True, check=False)

    def write_program(self, name: str, text: str) -> Path:
        """Write `conf.d/NAME.conf`; takes effect with `control("update")`."""
        path = self.programs / f"{name}.conf"
        path.write_text(text)
        return path

    @property
    def _socket(self) -> Path:
        """In the folder, or in the system's temporary folder where the path would be too long."""
        path = self.folder / "supervisor.sock"
        return path if len(str(path)) < 90 else Path("/tmp") / f"sv-{hash_of(self.folder)}.sock"  # noqa: S108 - mode 0700, unguessable not needed

    @cached_property
    def _program(self) -> Program:
        self.folder.mkdir(parents=True, exist_ok=True)
        words = (*_command("supervisord"), "-n", "-c", str(self.config))
        return Program("supervisord", self.folder, words, tied=self.tied)


def hash_of(folder: Path) -> str:
    """A short name that is always the same for a folder."""
    return hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def _command(name: str) -> list[str]:
    """Debian's program, or the one of this Python's environment."""
    return shlex.split(program_path(name, Path(sys.executable).parent))
