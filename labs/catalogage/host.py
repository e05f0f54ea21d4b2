"""The platform on a host of its own: a container with systemd, reached by SSH."""

import secrets
import shlex
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.servers.container import ContainerHost
from tests.servers.nginx import certificate
from tests.servers.postgres import Postgres
from tests.servers.program import NotStarted, await_outcome, free_port

from labs.catalogage.choice import DATABASE, PASSWORD
from labs.catalogage.environment import WrittenEnvironment
from labs.catalogage.instance import Written
from labs.catalogage.layout import HERE, Layout
from labs.catalogage.local import ROWS
from labs.catalogage.repository import make_repository
from labs.catalogage.site import Site
from labs.catalogage.wheels import wheels

PYTHON = {"bookworm": "3.11", "trixie": "3.13", "bullseye": "3.9"}
WORKDIR = "/root/catalogage"
REPOSITORY = "/srv/catalogage.git"


@dataclass(frozen=True)
class HostLab:
    """The platform in a container; its keys and certificates are in `folder`."""

    folder: Path
    name: str = "changeover-catalogage"
    suite: str = "bookworm"
    rows: int = ROWS

    @cached_property
    def host(self) -> ContainerHost:
        """The machine."""
        ports = (self.layout.http_port, self.layout.https_port)
        return ContainerHost(self.folder / "host", self.name, "catalogage", self.suite, ports)

    def start(self) -> None:
        """Make the host and install the first release as the guide does, in place."""
        self.remove()
        self.folder.mkdir(parents=True)
        make_repository(self.folder / "repository.git")
        certificate(self.folder / "tls")
        self.host.start()
        try:
            self._furnish()
            self._create_database()
            self._install()
        except BaseException:
            self.host.remove()
            raise
        if not await_outcome(lambda: self.site.healthy, 60):
            raise NotStarted(f"{self.name}: {self.host.run('supervisorctl status', check=False)}")

    def remove(self) -> None:
        """Remove the host and the folder."""
        self.host.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def authority(self) -> Path:
        """The certificate authority users trust."""
        return self.folder / "tls" / "ca.crt"

    @property
    def site(self) -> Site:
        """The platform as users meet it."""
        return Site(self.layout.client_url, self.authority)

    @cached_property
    def layout(self) -> Layout:
        """Paths, ports and secrets of the installation."""
        database = Postgres(Path(), 5432)
        return Layout(
            workdir=WORKDIR,
            repository=REPOSITORY,
            sites="/etc/nginx/sites-enabled",
            programs="/etc/supervisor/conf.d",
            logs="/var/log",
            certificate="/etc/ssl/catalogage/server.crt",
            certificate_key="/etc/ssl/catalogage/server.key",
            database_url=database.url_for(DATABASE, PASSWORD, DATABASE, "postgresql+asyncpg"),
            secret_key=self._secret_key,
            ca="/etc/ssl/catalogage/ca.crt",
            http_port=free_port(),
            https_port=free_port(),
        )

    def write_instance(self, folder: Path) -> Path:
        """Write the instance folder of this lab."""
        host = {"transport": "ssh", "ssh_config": str(self.host.config)}
        return Written(folder, self.layout, self.authority, host, self.name).write()

    def write_environment(self, folder: Path) -> Path:
        """Write the Ansible environment of this lab, as its team would have it."""
        connection = {"ansible_ssh_common_args": f"-F {self.host.config}"}
        return WrittenEnvironment(
            folder, self.layout, self.authority, connection, {}, self.name
        ).write()

    def sql(self, statements: str, database: str = "postgres") -> str:
        """Run statements as the database's superuser; gives rows, unaligned."""
        words = f"runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d {shlex.quote(database)}"
        return self.host.run(f"cd /; {words}", stdin=statements).strip()

    @cached_property
    def _secret_key(self) -> str:
        return secrets.token_urlsafe(24) + "#$%&("

    def _furnish(self) -> None:
        """Put on the host what a real one gets from the network: repository, wheels, keys."""
        self.host.run("mkdir -p /srv /opt /etc/ssl/catalogage")
        self.host.send(self.folder / "repository.git", REPOSITORY)
        self.host.send(wheels(PYTHON[self.suite]), "/opt/wheels")
        self.host.send(self.folder / "tls" / "server.crt", "/etc/ssl/catalogage/")
        self.host.send(self.folder / "tls" / "server.key", "/etc/ssl/catalogage/")
        self.host.send(self.authority, "/etc/ssl/catalogage/")
        # A public package index is not something a lab depends on.
        self._write("/etc/pip.conf", "[install]\nno-index = true\nfind-links = /opt/wheels\n")
        self.host.run(
            f"chown -R root: /srv /opt/wheels /etc/ssl/catalogage; chmod 755 {REPOSITORY}"
        )

    def _create_database(self) -> None:
        quoted = PASSWORD.replace("'", "''")
        self.host.run("systemctl start postgresql")
        self.sql(f"CREATE ROLE {DATABASE} LOGIN CREATEDB PASSWORD '{quoted}'")
        self.sql(
            f"CREATE DATABASE {DATABASE} OWNER {DATABASE} ENCODING 'UTF8'"
            " TEMPLATE template0 LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
        )

    def _install(self) -> None:
        """The guide's deployment by hand, then rows, programs and site."""
        layout = self.layout
        self.host.run(f"git clone --quiet {REPOSITORY} {WORKDIR}")
        self._write(f"{WORKDIR}/.env", layout.render("env"), mode="600")
        given = " ".join(
            f"{name}={shlex.quote(value)}" for name, value in layout.install_environment().items()
        )
        self.host.run(f"export {given}; sh -s", stdin=(HERE / "install.sh").read_text())
        rows = (HERE / "rows.sql").read_text().replace(":rows", str(self.rows))
        self.sql(f"SET ROLE {DATABASE};\n{rows}", DATABASE)
        self._write(f"{layout.programs}/supervisor.conf", layout.render("supervisor.conf"))
        self._write(f"{layout.sites}/catalogage.conf", layout.render("nginx.conf"))
        self.host.run("supervisorctl update && nginx -t && systemctl reload nginx")

    def _write(self, path: str, content: str, mode: str = "644") -> None:
        target = shlex.quote(path)
        self.host.run(f"umask 077; cat > {target}; chmod {mode} {target}", stdin=content)
