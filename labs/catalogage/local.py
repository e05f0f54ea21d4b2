"""The platform on this machine: one folder, own ports, own nginx, PostgreSQL and supervisord."""

import json
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers.nginx import Nginx, certificate
from tests.servers.postgres import Postgres, account
from tests.servers.program import (
    MARK,
    NotStarted,
    await_outcome,
    reap,
)
from tests.servers.sshd import Sshd
from tests.servers.supervisord import Supervisord, hash_of

from changeover.actions.python import STAMP
from labs.catalogage.choice import DATABASE, PASSWORD, choose, reachable
from labs.catalogage.environment import WrittenEnvironment
from labs.catalogage.instance import Written
from labs.catalogage.layout import HERE, Layout
from labs.catalogage.repository import make_repository
from labs.catalogage.site import Site

ROWS = 30_000
PRISTINE = "catalogage_pristine"
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
        choose(self.folder)
        self.postgres.start()
        self._create_database()
        self.nginx.start()
        self.supervisord.start()
        self.sshd.start()
        self._prepare_home(self.sshd.add_host(ALIAS, env=self.environment))
        self._write_wrappers()
        self._install()
        self._keep_pristine()
        self._serve()

    @property
    def untouched(self) -> bool:
        """Whether nobody called `touch` since `start` or `reset`."""
        return not (self.folder / "touched").exists()

    def touch(self) -> None:
        """Note that the platform is about to be changed."""
        (self.folder / "touched").touch()

    def reset(self) -> None:
        """Bring back the first release as `start` left it: files, rows, programs, site."""
        self.supervisord.control("stop", "all")
        self._learn_stamp()
        for name in self._strange():
            _remove(self.folder / name)
        _copy(self.folder / "pristine" / "app", Path(self.layout.workdir))
        self.postgres.drop_database(DATABASE)
        self._copy_database(PRISTINE, DATABASE)
        self._serve()

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
        return Layout(**{**kept, "nginx": tuple(kept["nginx"])})

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
        if user is None or reachable(self.folder.parent, user):
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

    def await_health(self, seconds: float = 60) -> None:
        """Return once the platform answers; raises NotStarted with what it says instead."""

        def up() -> bool:
            states = self.supervisord.control("status").stdout
            return self.site.healthy and states.count("RUNNING") == 2

        if not await_outcome(up, seconds):
            raise NotStarted(f"catalogage: {self.supervisord.control('status').stdout}")

    def write_instance(self, folder: Path, ssh: bool = False, hub: Path | None = None) -> Path:
        """Write the instance folder of this lab, its host reached locally or over SSH."""
        host: dict[str, object] = {"state_dir": str(self.folder / "state")}
        if ssh:
            host |= {"transport": "ssh", "ssh_config": str(self.sshd.config)}
        else:
            host |= {"transport": "local"}
        return Written(folder, self.layout, self.authority, host, ALIAS, hub).write()

    def write_environment(self, folder: Path) -> Path:
        """Write the Ansible environment of this lab, its host reached over SSH."""
        connection = {
            "ansible_ssh_common_args": f"-F {self.sshd.config}",
            # Some machines have others in their PATH that are only stand-ins.
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        host = {"state_dir": str(self.folder / "state")}
        written = (self.layout, self.authority, connection, host, ALIAS)
        return WrittenEnvironment(folder, *written).write()

    def _keep_pristine(self) -> None:
        """Keep the installed folder and the rows for `reset`."""
        (self.folder / "pristine").mkdir()
        _copy(Path(self.layout.workdir), self.folder / "pristine" / "app")
        self._copy_database(DATABASE, PRISTINE)

    def _learn_stamp(self) -> None:
        """Let the manual's Python environment be copied, once a deployment has made its own.

        The first deployment shows that one is made from nothing, which takes longer than all the
        rest of it; the ones after a reset find one that was made from the same things.
        """
        pristine = self.folder / "pristine" / "app"
        wanted = (pristine / "requirements.txt").read_bytes()
        for stamp in Path(f"{self.layout.workdir}.releases").glob(f"*/venv/{STAMP}"):
            if (stamp.parents[1] / "requirements.txt").read_bytes() == wanted:
                shutil.copy2(stamp, pristine / "venv")

    def _copy_database(self, source: str, target: str) -> None:
        self.postgres.sql(f"CREATE DATABASE {target} TEMPLATE {source} OWNER {DATABASE}")

    def _strange(self) -> list[str]:
        """What is in the folder and changes: everything but servers, keys and sources."""
        lasting = {"bin", "lab.json", "nginx", "postgres", "pristine", "repository.git"}
        lasting |= {"sshd", "supervisord", "tls"}
        return [path.name for path in self.folder.iterdir() if path.name not in lasting]

    def _serve(self) -> None:
        """Write site and programs as the guide has them, and wait until users are served."""
        for folder in (self.nginx.sites, self.supervisord.programs):
            for path in folder.iterdir():
                path.unlink()
        Path(self.layout.logs).mkdir(exist_ok=True)
        self.supervisord.write_program("supervisor", self.layout.render("supervisor.conf"))
        self.nginx.write_site("catalogage", self.layout.render("nginx.conf"))
        self.nginx.reload()
        self.supervisord.control("update")
        self.supervisord.control("start", "all")
        self.await_health()

    def _create_database(self) -> None:
        self.postgres.create_database(DATABASE, owner=DATABASE, password=PASSWORD)
        # A verified restore happens in a scratch database.
        self.postgres.sql(f"ALTER ROLE {DATABASE} CREATEDB")

    def _write_wrappers(self) -> None:
        """Programs that speak to the lab's servers and no others."""
        folder = self.folder / "bin"
        folder.mkdir()
        for name, words in (("nginx", self.nginx.words), ("supervisorctl", self.supervisord.words)):
            # Whoever names a configuration himself knows what he does.
            named = f'case "$1" in -c) exec {shlex.quote(words[0])} "$@" ;; esac'
            (folder / name).write_text(f'#!/bin/sh\n{named}\nexec {shlex.join(words)} "$@"\n')
            (folder / name).chmod(0o755)

    @staticmethod
    def _prepare_home(home: Path) -> None:
        """npm and git ask nobody and look nothing up."""
        (home / ".npmrc").write_text("audit=false\nfund=false\nupdate-notifier=false\n")

    def _install(self) -> None:
        """The guide's deployment by hand, then the rows."""
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


def _copy(source: Path, target: Path) -> None:
    """Copy a folder as it is; much quicker than Python does it."""
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
