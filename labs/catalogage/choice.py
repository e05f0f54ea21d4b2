"""What a lab on this machine decides once: ports, paths and secrets."""

import json
import secrets
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tests.servers.nginx import Nginx
from tests.servers.postgres import Postgres
from tests.servers.program import free_port, program_path
from tests.servers.supervisord import Supervisord

from labs.catalogage.layout import Layout
from labs.catalogage.wheels import wheels

DATABASE = "catalogage"
PASSWORD = "mdp!des?caractèressp&ciaux%/@:"  # noqa: S105 - one that must be URL-encoded
SERVERS = ("postgres", "sshd", "api", "client", "http", "https", "api_b", "client_b", "ssr")


def choose(folder: Path) -> None:
    """Pick ports and secrets for a lab, and write them down in its `lab.json`."""
    ports = dict(zip(SERVERS, _distinct_ports(len(SERVERS)), strict=True))
    database = Postgres(Path(), ports["postgres"])
    layout = Layout(
        workdir=str(folder / "app"),
        repository=str(folder / "repository.git"),
        sites=str(Nginx(folder / "nginx").sites),
        programs=str(Supervisord(folder / "supervisord").programs),
        logs=str(folder / "logs"),
        certificate=str(folder / "tls/server.crt"),
        certificate_key=str(folder / "tls/server.key"),
        database_url=database.url_for(DATABASE, PASSWORD, DATABASE, "postgresql+asyncpg"),
        secret_key=secrets.token_urlsafe(24) + "#$%&(",
        api_port=ports["api"],
        client_port=ports["client"],
        api_port_b=ports["api_b"],
        client_port_b=ports["client_b"],
        ssr_port=ports["ssr"],
        serving=str(folder / "serving"),
        supervisor_config=str(Supervisord(folder / "supervisord").config),
        http_port=ports["http"],
        https_port=ports["https"],
        listen="127.0.0.1:",
        node=program_path("node"),
        python=str(Path(sys.executable).resolve()),
        wheels=str(wheels()),
        nginx=(str(folder / "bin/nginx"),),
        nginx_folder=str(Nginx(folder / "nginx").folder),
        ca=str(folder / "tls/ca.crt"),
    )
    kept = folder / "lab.json"
    kept.touch(mode=0o600)
    kept.write_text(json.dumps({"ports": ports, "layout": asdict(layout)}, indent=1))


def reachable(folder: Path, user: str) -> bool:
    """Whether an account may enter a folder, or the nearest one that exists."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    words = ["setpriv", "--reuid", user, "--clear-groups", "test", "-x", str(existing)]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _distinct_ports(count: int) -> list[int]:
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return sorted(ports)
