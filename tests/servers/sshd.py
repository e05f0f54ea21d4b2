"""A user-mode OpenSSH server whose `Host` aliases look like so many hosts."""

import getpass
import os
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.servers.program import Program, answers, free_port, program_path

# What a login on one of the simulated hosts goes through: its own HOME, then the command as sent.
ENTER = """#!/bin/sh
HOME=$1; export HOME
cd "$HOME" || exit 255
[ ! -r "$HOME/.environment" ] || . "$HOME/.environment"
if [ -n "${SSH_ORIGINAL_COMMAND+x}" ]; then exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"; fi
exec /bin/sh
"""


@dataclass(frozen=True)
class Sshd:
    """One server on 127.0.0.1; `ssh -F config ALIAS` enters `homes/ALIAS` as the current user."""

    folder: Path
    port: int
    tied: bool = True
    options: tuple[str, ...] = ()
    """Further lines of sshd_config; they win over the ones written here."""

    @property
    def config(self) -> Path:
        """The client's configuration, for `ssh -F` and for libraries that read such files."""
        return self.folder / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        """The file that knows this server's key."""
        return self.folder / "known_hosts"

    @property
    def host_key(self) -> Path:
        """The server's private key; its public half ends in `.pub`."""
        return self.folder / "host_key"

    @property
    def user(self) -> str:
        """The account one logs in to: the current one."""
        return getpass.getuser()

    def key(self, alias: str) -> Path:
        """The private key that enters as `alias`."""
        return self.folder / "keys" / alias

    def home(self, alias: str) -> Path:
        """The HOME of a simulated host."""
        return self.folder / "homes" / alias

    def start(self) -> None:
        """Write keys and configuration, then serve."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.host_key.exists():
            self._generate(self.host_key)
            self.config.touch()
            (self.folder / "authorized_keys").touch(mode=0o600)
            (self.folder / "enter").write_text(ENTER)
            (self.folder / "enter").chmod(0o755)
        public = self.host_key.with_suffix(".pub").read_text().split()[:2]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {' '.join(public)}\n")
        (self.folder / "sshd_config").write_text("\n".join(self._server_lines()) + "\n")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # privilege separation asks for it
        self._program.start(lambda: answers(self.port))

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The server's process id; none when it does not run."""
        return self._program.pid

    def stop(self) -> None:
        """Stop the listener; sessions that are open stay."""
        self._program.stop()

    def cut(self) -> None:
        """Stop the listener and kill every open session, as a lost network would."""
        pids = list(self._sessions())
        self.stop()
        for pid in pids:
            subprocess.run(["kill", "-KILL", str(pid)], check=False, capture_output=True)

    def add_host(
        self, alias: str, jump: str | None = None, env: dict[str, str] | None = None
    ) -> Path:
        """A further simulated host; gives its HOME. `jump` names the alias one goes through."""
        home = self.home(alias)
        home.mkdir(parents=True)
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in (env or {}).items()]
        (home / ".environment").write_text("".join(lines))
        self.key(alias).parent.mkdir(exist_ok=True)
        self._generate(self.key(alias))
        enter = shlex.join([str(self.folder / "enter"), str(home)])
        public = self.key(alias).with_suffix(".pub").read_text()
        with (self.folder / "authorized_keys").open("a") as keys:
            keys.write(f'command="{enter}" {public}')
        with self.config.open("a") as config:
            config.write("\n".join(self._client_lines(alias, jump)) + "\n")
        return home

    def _client_lines(self, alias: str, jump: str | None) -> list[str]:
        lines = [
            f"Host {alias}",
            "  HostName 127.0.0.1",
            f"  Port {self.port}",
            f"  User {self.user}",
            f"  IdentityFile {self.key(alias)}",
            "  IdentitiesOnly yes",
            "  IdentityAgent none",
            f"  UserKnownHostsFile {self.known_hosts}",
            "  GlobalKnownHostsFile /dev/null",
            "  StrictHostKeyChecking yes",
            "  BatchMode yes",
        ]
        return lines + ([f"  ProxyJump {jump}"] if jump else [])

    def _server_lines(self) -> list[str]:
        return [
            *self.options,
            "ListenAddress 127.0.0.1",
            f"Port {self.port}",
            f"HostKey {self.host_key}",
            f"AuthorizedKeysFile {self.folder / 'authorized_keys'}",
            "PidFile none",
            # Temporary folders are not what StrictModes wants; the keys are ours alone.
            "StrictModes no",
            f"UsePAM {'yes' if self._locked() else 'no'}",
            "PermitRootLogin prohibit-password",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            # Ten hosts share one server here: the default would drop simultaneous logins.
            "MaxStartups 200",
            *_unforgetting(),
            "PrintMotd no",
            f"Subsystem sftp {program_path('sftp-server')}",
        ]

    def _locked(self) -> bool:
        """Whether only PAM lets the account in: sshd alone refuses a password of `!`."""
        done = subprocess.run(
            ["getent", "shadow", self.user], capture_output=True, text=True, check=False
        )
        return done.stdout.split(":")[1:2] == ["!"]

    def _sessions(self) -> Iterator[int]:
        server = self._program.pid
        asked = ["ps", "-eo", "pid=,ppid=,comm="]
        rows = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
        parents = {int(row.split()[0]): int(row.split()[1]) for row in rows}
        names = {int(row.split()[0]): row.split()[2] for row in rows}
        for pid, name in names.items():
            ancestor = parents[pid]
            while ancestor in parents and ancestor != server:
                ancestor = parents[ancestor]
            if ancestor == server and name.startswith("sshd"):
                yield pid

    @cached_property
    def _program(self) -> Program:
        words = (program_path("sshd"), "-D", "-e", "-f", str(self.folder / "sshd_config"))
        return Program("sshd", self.folder, words, tied=self.tied)

    @staticmethod
    def _generate(path: Path) -> None:
        words = [
            "ssh-keygen",
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-C",
            "changeover-lab",
            "-f",
            str(path),
        ]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


def simulated(folder: Path, hosts: int = 10) -> Sshd:
    """A running server with `host1` … and `inner`, which is reached through `jump`."""
    server = Sshd(folder, free_port())
    server.start()
    for number in range(1, hosts + 1):
        server.add_host(f"host{number}")
    server.add_host("jump")
    server.add_host("inner", jump="jump")
    return server


def _unforgetting() -> list[str]:
    """Logins that fail are what some tests are about: newer servers would turn all others away."""
    knows = subprocess.run(
        [program_path("sshd"), "-G", "-o", "PerSourcePenalties=no", "-f", "/dev/null"],
        capture_output=True, check=False,
    )  # fmt: skip
    return [] if knows.returncode else ["PerSourcePenalties no"]
