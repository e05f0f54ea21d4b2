"""A PostgreSQL cluster of its own: `initdb`, a superuser, databases on request."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote_plus

from tests.servers.program import NotStarted, Program, free_port, program_path

ACCOUNTS = ("postgres", "nobody")


def binaries() -> Path:
    """The folder with the newest installed server programs."""
    roots = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = max(roots, key=lambda path: float(path.parts[-3]), default=None)
    return newest.parent if newest else Path(program_path("postgres")).resolve().parent


def psql() -> str:
    """The client itself: the one Debian has in the PATH is a slow wrapper."""
    return program_path("psql", binaries())


def account() -> str | None:
    """The account a server started by root runs as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ACCOUNTS if name in known)


@dataclass(frozen=True)
class Postgres:
    """One cluster in `folder`, listening on 127.0.0.1 alone, with password authentication."""

    folder: Path
    port: int
    password: str = "super secret & mächtig"
    """Spaces and umlauts on purpose: they must survive every URL."""
    tied: bool = True
    durable: bool = False
    """Whether it waits for the disk at each commit, as a real one does."""

    @classmethod
    def temporary(cls) -> "Postgres":
        """A cluster in a new folder of the system's temporary folder, not yet started."""
        return cls(Path(tempfile.mkdtemp(prefix="changeover-pg-")), free_port())

    @property
    def superuser(self) -> str:
        """The name of the superuser."""
        return "postgres"

    def url(self, database: str = "postgres", scheme: str = "postgresql") -> str:
        """The superuser's URL of a database, password URL-encoded."""
        return self.url_for(self.superuser, self.password, database, scheme)

    def url_for(self, user: str, password: str, database: str, scheme: str = "postgresql") -> str:
        """The URL with which a role reaches a database."""
        word = quote_plus(password).replace("+", "%20")
        return f"{scheme}://{user}:{word}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Create the cluster when there is none, then serve it."""
        if not (self._cluster / "PG_VERSION").exists():
            self._create()
        self._program.start(self._ready)

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The server's process id; none when it does not run."""
        return self._program.pid

    def stop(self) -> None:
        """Stop at once (open connections are cut), keep the files."""
        self._program.stop()

    def remove(self) -> None:
        """Stop, and remove every file."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def create_database(self, name: str, owner: str | None = None, password: str = "") -> str:
        """Create a database (and its owner) and give its URL, the owner's where there is one."""
        if owner is None:
            self.sql(f'CREATE DATABASE "{name}"')
            return self.url(name)
        quoted = password.replace("'", "''")
        self.sql(f"CREATE ROLE \"{owner}\" LOGIN PASSWORD '{quoted}'")
        self.sql(f'CREATE DATABASE "{name}" OWNER "{owner}"')
        return self.url_for(owner, password, name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def sql(self, statements: str, database: str = "postgres") -> str:
        """Run statements as the superuser; gives the rows, unaligned, without headings."""
        done = subprocess.run(
            [psql(), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url(database)],
            input=statements,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr.strip()}: {statements[:200]}")
        return done.stdout.strip()

    @property
    def _cluster(self) -> Path:
        return self.folder / "cluster"

    @cached_property
    def _program(self) -> Program:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "on" if self.durable else "off",
            "max_connections": "200",
            "log_statement": "none",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        words = (str(binaries() / "postgres"), "-D", str(self._cluster), "-p", str(self.port))
        return Program(
            "postgres",
            self.folder,
            (*words, *options),
            user=account(),
            tied=self.tied,
            # SIGINT is the fast shutdown: SIGTERM would wait for every open connection.
            stop_signal=signal.SIGINT,
        )

    def _ready(self) -> bool:
        asked = [str(binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0

    def _create(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._cluster.mkdir(mode=0o700)
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        user = account()
        if user is not None:
            for path in (self.folder, self._cluster, secret):
                shutil.chown(path, user)
        words = [str(binaries() / "initdb"), "-D", str(self._cluster), "--no-sync", "-E", "UTF8"]
        words += ["--locale=C.UTF-8", "-U", self.superuser, "-A", "scram-sha-256"]
        words += ["--pwfile", str(secret)]
        prefix = Program("initdb", self.folder, (), user=user, tied=False).prefix()
        done = subprocess.run(
            [*prefix, *words], capture_output=True, text=True, check=False, cwd=self.folder
        )
        secret.unlink()
        if done.returncode != 0:
            raise NotStarted(f"initdb: exited {done.returncode}: {done.stderr.strip()}")
