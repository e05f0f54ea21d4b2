"""A host of its own: a container with systemd and sshd, reached by SSH."""

import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.servers.program import NotStarted, await_outcome

SCRIPTS = Path(__file__).parents[2] / "scripts"
FLAGS = (
    "--cap-add=SYS_ADMIN",
    "--cap-add=NET_ADMIN",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--cgroupns=host",
    "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
    "--tmpfs=/run",
    "--tmpfs=/run/lock",
    "--stop-signal=SIGRTMIN+3",
    "--label=changeover-lab=1",
)


def docker(*words: str) -> str:
    """Run one docker command; gives what it printed, raises NotStarted with its error text."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotStarted(f"docker {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


@dataclass(frozen=True)
class ContainerHost:
    """A Debian host; `ssh -F config NAME` enters it as root."""

    folder: Path
    name: str
    image: str = "host"
    """What `scripts/images/build` builds: host, catalogage."""
    suite: str = "bookworm"
    ports: tuple[int, ...] = ()
    """Ports of the host that are published on the same ports of 127.0.0.1."""

    @property
    def config(self) -> Path:
        """The SSH client's configuration."""
        return self.folder / "ssh_config"

    @property
    def key(self) -> Path:
        """The private key that enters as root."""
        return self.folder / "key"

    @property
    def known_hosts(self) -> Path:
        """The file that knows the host's key."""
        return self.folder / "known_hosts"

    def start(self) -> None:
        """Build the image where it is missing, create the container, wait until it lets one in."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for words in (
            [str(SCRIPTS / "dockerd")],
            [str(SCRIPTS / "images/build"), self.image, self.suite],
        ):
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise NotStarted(done.stderr.strip())
        self.remove()
        published = [f"--publish=127.0.0.1:{port}:{port}" for port in self.ports]
        published.append("--publish=127.0.0.1::22")
        tag = f"changeover-{self.image}:{self.suite}"
        docker("create", f"--name={self.name}", f"--hostname={self.name}", *published, *FLAGS, tag)
        self._authorize()
        docker("start", self.name)
        if not await_outcome(self._lets_in, 60):
            raise NotStarted(f"{self.name}: no login within 60 s: {docker('logs', self.name)}")

    def remove(self) -> None:
        """Remove the container and all that is in it."""
        subprocess.run(["docker", "rm", "-fv", self.name], capture_output=True, check=False)

    @property
    def ssh_port(self) -> int:
        """The port of 127.0.0.1 that leads to the host's sshd."""
        return int(docker("port", self.name, "22/tcp").split(":")[-1])

    @cached_property
    def address(self) -> str:
        """The host's address on the engine's network."""
        return docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", self.name)

    def run(self, command: str, stdin: str = "", check: bool = True) -> str:
        """Run one command line over SSH; raises with its error text when it fails."""
        words = ["ssh", "-F", str(self.config), self.name, command]
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.name}: {command}: {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def send(self, source: Path, target: str) -> None:
        """Copy a file or a folder to the host."""
        docker("cp", str(source), f"{self.name}:{target}")

    def _authorize(self) -> None:
        if not self.key.exists():
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "changeover-lab"]
            subprocess.run([*words, "-f", str(self.key)], check=True)
        keys = self.folder / "authorized_keys"
        keys.write_bytes(self.key.with_suffix(".pub").read_bytes())
        keys.chmod(0o600)
        self.send(keys, "/root/.ssh/authorized_keys")

    def _lets_in(self) -> bool:
        """Learn the host's key from inside the container, then log in."""
        words = ["docker", "exec", self.name, "cat", "/etc/ssh/ssh_host_ed25519_key.pub"]
        shown = subprocess.run(words, capture_output=True, text=True, check=False)
        if shown.returncode != 0 or len(shown.stdout.split()) < 2:
            return False
        public = " ".join(shown.stdout.split()[:2])
        self.known_hosts.write_text(f"[127.0.0.1]:{self.ssh_port} {public}\n")
        self.config.write_text("\n".join(self._client_lines()) + "\n")
        done = subprocess.run(
            ["ssh", "-F", str(self.config), self.name, "systemctl is-system-running --wait"],
            capture_output=True,
            check=False,
        )
        return done.returncode != 255

    def _client_lines(self) -> list[str]:
        return [
            f"Host {self.name}",
            "  HostName 127.0.0.1",
            f"  Port {self.ssh_port}",
            "  User root",
            f"  IdentityFile {self.key}",
            "  IdentitiesOnly yes",
            "  IdentityAgent none",
            f"  UserKnownHostsFile {self.known_hosts}",
            "  GlobalKnownHostsFile /dev/null",
            "  StrictHostKeyChecking yes",
            "  BatchMode yes",
        ]
