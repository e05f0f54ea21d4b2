"""An nginx of its own: unprivileged, in one folder, sites in `sites/*.conf`."""

import os
import shlex
import signal
import ssl
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.servers.program import Program, await_outcome, free_port, program_path

MAIN = """\
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.own.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
    include {mime};
    default_type application/octet-stream;
    access_log off;
    client_body_temp_path {folder}/tmp/body;
    proxy_temp_path {folder}/tmp/proxy;
    fastcgi_temp_path {folder}/tmp/fastcgi;
    uwsgi_temp_path {folder}/tmp/uwsgi;
    scgi_temp_path {folder}/tmp/scgi;
    proxy_buffers 8 16k;
    proxy_buffer_size 16k;
    include {folder}/sites/*.conf;
}}
"""

# Python 3.13 and later insist on every one of these.
EXTENSIONS = """\
[req]
distinguished_name = subject
[subject]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:{name}, DNS:localhost, IP:127.0.0.1
"""


@dataclass(frozen=True)
class Nginx:
    """One server; what it listens on is what its sites say."""

    folder: Path
    tied: bool = True

    @property
    def config(self) -> Path:
        """The main configuration file."""
        return self.folder / "nginx.conf"

    @property
    def sites(self) -> Path:
        """The folder of the sites."""
        return self.folder / "sites"

    @property
    def words(self) -> tuple[str, ...]:
        """The command that speaks to this nginx and no other; `-t` and `-s reload` go after it."""
        # Before the configuration is read, messages would go to the system's error log.
        error_log = str(self.folder / "error.log")
        return (
            program_path("nginx"),
            "-p",
            str(self.folder),
            "-c",
            str(self.config),
            "-e",
            error_log,
        )

    def start(self) -> None:
        """Write the main configuration where there is none, and serve."""
        self.sites.mkdir(parents=True, exist_ok=True)
        (self.folder / "tmp").mkdir(exist_ok=True)
        if not self.config.exists():
            mime = Path("/etc/nginx/mime.types")
            if not mime.exists():
                mime = self.folder / "mime.types"
                mime.write_text("types { text/html html; text/css css; text/javascript js; }\n")
            # As root it would serve as an account that may not enter temporary folders.
            user = "user root;" if os.geteuid() == 0 else ""
            self.config.write_text(MAIN.format(folder=self.folder, mime=mime, user=user))
        self.own_pid_file.unlink(missing_ok=True)
        self._program.start(lambda: self.own_pid_file.exists() and bool(self.workers()))

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The server's process id; none when it does not run."""
        return self._program.pid

    def stop(self) -> None:
        """Stop at once."""
        self._program.stop()

    def reload(self) -> None:
        """Test the configuration, load it, and return once only new workers accept connections."""
        self.test()
        before = self.workers()
        subprocess.run([*self.words, "-s", "reload"], check=True, capture_output=True)
        await_outcome(lambda: bool(self.workers() - before), 30)

    def test(self) -> None:
        """Raise with nginx's own words when the configuration is refused."""
        done = subprocess.run([*self.words, "-t"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"nginx -t: {done.stderr.strip()}")

    def write_site(self, name: str, text: str) -> Path:
        """Write `sites/NAME.conf`; takes effect with `reload`."""
        path = self.sites / f"{name}.conf"
        path.write_text(text)
        return path

    def workers(self) -> set[int]:
        """The process ids of the workers."""
        pid = self._program.pid
        try:
            return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
        except OSError:
            return set()

    @property
    def own_pid_file(self) -> Path:
        """The pid file nginx itself writes."""
        return self.folder / "nginx.own.pid"

    @cached_property
    def _program(self) -> Program:
        self.folder.mkdir(parents=True, exist_ok=True)
        return Program("nginx", self.folder, self.words, tied=self.tied, stop_signal=signal.SIGTERM)


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """An authority's certificate and, beside it, `server.crt` and `server.key` for a host name."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = folder / "ca.crt"
    if authority.exists():
        return authority, folder / "server.crt"
    (folder / "extensions.cnf").write_text(EXTENSIONS.format(name=name))
    fresh = "-config extensions.cnf -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    commands = [
        f"req -x509 {fresh} -days 3650 -subj '/CN=Changeover lab authority' -extensions authority"
        " -keyout ca.key -out ca.crt",
        f"req {fresh} -subj /CN={name} -keyout server.key -out server.csr",
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial"
        " -days 3650 -extfile extensions.cnf -extensions server -out server.crt",
    ]
    for command in commands:
        words = [program_path("openssl"), *shlex.split(command)]
        subprocess.run(words, check=True, capture_output=True, cwd=folder)
    return authority, folder / "server.crt"


def trusting(authority: Path) -> ssl.SSLContext:
    """A client's TLS that trusts one authority alone."""
    return ssl.create_default_context(cafile=authority)


def site(folder: Path, text: str) -> tuple[Nginx, int]:
    """A running nginx with one site; `{port}` in its text is a free port, given back."""
    server, port = Nginx(folder), free_port()
    server.sites.mkdir(parents=True, exist_ok=True)
    server.write_site("default", text.replace("{port}", str(port)))
    server.start()
    return server, port
