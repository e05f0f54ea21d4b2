"""The platform on this machine: one folder, own ports, own nginx, PostgreSQL and supervisord."""

import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.servers.nginx import Nginx, certificate
from tests.servers.postgres import Postgres, account
from tests.servers.program import (
    MARK,
    NotStarted,
    await_outcome,
    free_port,
    program_path,
    reap,
)
from tests.servers.sshd import Sshd
from tests.servers.supervisord import Supervisord, hash_of

from labs.catalogage.layout import HERE, Layout
from labs.catalogage.repository import make_repository
from labs.catalogage.site import Site
from labs.catalogage.wheels import wheels

ROWS = 30_000
DATABASE = "catalogage"
PASSWORD = "mdp!des?caractèressp&ciaux%/@:"  # noqa: S105 - a password that must be URL-encoded
ALIAS = "catalogue"


@dataclass(frozen=True)
class LocalLab:
    """The platform in `folder`; `start` makes it from nothing, `stop` leaves nothing running."""

    folder: Path
    rows: int = ROWS
    tied: bool = False
    """Whether its servers die with this process, as tests want it."""

    def start(self) -> None:
        """Stop what an earlier start left, then bring up the first release of the platform."""
        self.remove()
        try:
            self._build()
        except BaseException:
            self.stop()
            raise

    def _build(self) -> None:
        self.folder.mkdir(parents=True)
        make_repository(self.folder / "repository.git")
        certificate(self.folder / "tls")
        self._choose()
        self.postgres.start()
        self._create_database()
        self.nginx.start()
        self.supervisord.start()
        self.sshd.start()
        self._prepare_home(self.sshd.add_host(ALIAS, env=self.environment))
        self._write_wrappers()
        self._install()
        self.await_health()

    def stop(self) -> None:
        """Stop every server and program of the folder; the files stay."""
        if (self.folder / "lab.json").exists():
            for server in (self.sshd, self.nginx, self.supervisord, self.postgres):
                server.stop()
        reap(self.folder)
        if self.data_folder != self.folder / "postgres":
            reap(self.data_folder)

    def resume(self) -> None:
        """Start the servers of a lab that was stopped, as it was left."""
        for server in (self.postgres, self.nginx, self.supervisord, self.sshd):
            server.start()
        self.await_health()

    def remove(self) -> None:
        """Stop, and remove every file."""
        self.stop()
        shutil.rmtree(self.data_folder, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def running(self) -> bool:
        """Whether its servers are up."""
        servers = (self.postgres, self.nginx, self.supervisord)
        return (self.folder / "lab.json").exists() and all(server.running for server in servers)

    @property
    def layout(self) -> Layout:
        """Paths, ports and secrets of the installation; only after `start`."""
        kept = json.loads((self.folder / "lab.json").read_text())["layout"]
        lists = {"nginx": tuple(kept["nginx"]), "supervisorctl": tuple(kept["supervisorctl"])}
        return Layout(**{**kept, **lists})

    @property
    def _ports(self) -> dict[str, int]:
        ports: dict[str, int] = json.loads((self.folder / "lab.json").read_text())["ports"]
        return ports

    @property
    def authority(self) -> Path:
        """The certificate authority users trust."""
        return self.folder / "tls" / "ca.crt"

    @property
    def data_folder(self) -> Path:
        """PostgreSQL's folder: elsewhere where its account cannot reach into this one."""
        user = account()
        inside = self.folder / "postgres"
        if user is None or _reachable(self.folder.parent, user):
            return inside
        return Path("/var/tmp") / f"changeover-lab-{hash_of(self.folder)}"  # noqa: S108 - made by root, given to postgres

    @property
    def environment(self) -> dict[str, str]:
        """What a session on the lab's host has: the wrappers first in its PATH."""
        path = f"{self.folder / 'bin'}:{os.environ.get('PATH', os.defpath)}:/usr/sbin"
        return {"PATH": path, MARK: str(self.folder)}

    @property
    def postgres(self) -> Postgres:
        """The database server."""
        return Postgres(self.data_folder, self._ports["postgres"], tied=self.tied, durable=True)

    @property
    def nginx(self) -> Nginx:
        """The web server."""
        return Nginx(self.folder / "nginx", tied=self.tied)

    @property
    def supervisord(self) -> Supervisord:
        """What runs the two programs."""
        return Supervisord(self.folder / "supervisord", tied=self.tied)

    @property
    def sshd(self) -> Sshd:
        """The door to the same machine over SSH, as host `catalogue`."""
        return Sshd(self.folder / "sshd", self._ports["sshd"], tied=self.tied)

    @property
    def site(self) -> Site:
        """The platform as users meet it."""
        return Site(self.layout.client_url, self.authority)

    def await_health(self, seconds: float = 20) -> None:
        """Return once the platform answers; raises NotStarted with what it says instead."""

        def up() -> bool:
            states = self.supervisord.control("status").stdout
            return self.site.healthy and states.count("RUNNING") == 2

        if not await_outcome(up, seconds):
            raise NotStarted(f"catalogage: {self.supervisord.control('status').stdout}")

    def _choose(self) -> None:
        """Pick ports and secrets, and write them down for later calls."""
        names = ("postgres", "sshd", "api", "client", "http", "https")
        ports = dict(zip(names, _distinct_ports(len(names)), strict=True))
        database = Postgres(Path(), ports["postgres"])
        folder = self.folder
        layout = Layout(
            workdir=str(folder / "app"),
            repository=str(folder / "repository.git"),
            sites=str(self.nginx.sites),
            programs=str(self.supervisord.programs),
            logs=str(folder / "logs"),
            certificate=str(folder / "tls/server.crt"),
            certificate_key=str(folder / "tls/server.key"),
            database_url=database.url_for(DATABASE, PASSWORD, DATABASE, "postgresql+asyncpg"),
            secret_key=secrets.token_urlsafe(24) + "#$%&(",
            api_port=ports["api"],
            client_port=ports["client"],
            http_port=ports["http"],
            https_port=ports["https"],
            public_port=ports["https"],
            listen="127.0.0.1:",
            node=program_path("node"),
            python=str(Path(sys.executable).resolve()),
            wheels=str(wheels()),
            nginx=(str(folder / "bin/nginx"),),
            supervisorctl=(str(folder / "bin/supervisorctl"),),
        )
        (folder / "logs").mkdir()
        kept = {"ports": ports, "layout": asdict(layout)}
        (folder / "lab.json").touch(mode=0o600)
        (folder / "lab.json").write_text(json.dumps(kept, indent=1))

    def _create_database(self) -> None:
        self.postgres.create_database(DATABASE, owner=DATABASE, password=PASSWORD)
        # A verified restore happens in a scratch database.
        self.postgres.sql(f"ALTER ROLE {DATABASE} CREATEDB")

    def _write_wrappers(self) -> None:
        """Programs that speak to the lab's servers and no others."""
        folder = self.folder / "bin"
        folder.mkdir()
        for name, words in (("nginx", self.nginx.words), ("supervisorctl", self.supervisord.words)):
            (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
            (folder / name).chmod(0o755)

    @staticmethod
    def _prepare_home(home: Path) -> None:
        """npm and git ask nobody and look nothing up."""
        (home / ".npmrc").write_text("audit=false\nfund=false\nupdate-notifier=false\n")

    def _install(self) -> None:
        """The guide's deployment by hand, then rows, programs and site."""
        layout = self.layout
        workdir = Path(layout.workdir)
        subprocess.run(["git", "clone", "--quiet", layout.repository, str(workdir)], check=True)
        secret = workdir / ".env"
        secret.touch(mode=0o600)
        secret.write_text(layout.render("env"))
        done = subprocess.run(
            ["sh", str(HERE / "install.sh")],
            env={**os.environ, **layout.install_environment(), MARK: str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NotStarted(f"install.sh: {done.stderr.strip()[-1500:]}")
        rows = (HERE / "rows.sql").read_text().replace(":rows", str(self.rows))
        self.postgres.sql(f"SET ROLE {DATABASE};\n{rows}", DATABASE)
        self.supervisord.write_program("catalogage", layout.render("supervisor.conf"))
        self.supervisord.control("update")
        self.nginx.write_site("catalogage", layout.render("nginx.conf"))
        self.nginx.reload()


def _distinct_ports(count: int) -> list[int]:
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return sorted(ports)


def _reachable(folder: Path, user: str) -> bool:
    """Whether an account may enter a folder."""
    words = ["setpriv", "--reuid", user, "--clear-groups", "test", "-x", str(folder)]
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    done = subprocess.run([*words[:-1], str(existing)], capture_output=True, check=False)
    return done.returncode == 0
