"""Divided files, overrides and drop-ins, judged by the programs that read them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from changeover.merge.engine import merge
from changeover.merge.reducing import reduced
from changeover.merge.shapes import split
from tests.servers.container import ContainerHost

BASE = """\
version: "3.8"
services:
  web:
    image: shop/web:1
    command: [serve, --port, "80"]
    environment:
      - WORKERS=2
      - TZ=UTC
    ports:
      - "80:80"
    volumes:
      - data:/data
    depends_on: [db]
  db:
    image: shop/db:1
    environment:
      POSTGRES_DB: shop
    volumes:
      - data:/var/lib/db
volumes:
  data: {}
"""
CRON = "  # ours\n  cron:\n    image: cron:1\n"
OURS = (
    BASE.replace("WORKERS=2", "WORKERS=8")
    .replace('      - "80:80"\n', '      - "80:80"\n      - "127.0.0.1:9000:9000"  # metrics\n')
    .replace('--port, "80"', '--port, "80", --verbose')
    .replace("      POSTGRES_DB: shop\n", "      POSTGRES_DB: shop\n      PGTZ: Europe/Paris\n")
    .replace("      - data:/data", "      - ./shop:/data")
    .replace("volumes:\n  data: {}", f"{CRON}volumes:\n  data: {{}}")
)
THEIRS = (
    BASE.replace("web:1", "web:2").replace("db:1", "db:2").replace("TZ=UTC", "TZ=UTC\n      - X=1")
)
WEB = (
    THEIRS.partition("  db:\n")[0].replace("    depends_on: [db]\n", "") + "volumes:\n  data: {}\n"
)
DB = (
    'version: "3.8"\nservices:\n  web:\n    depends_on: [db]\n  db:\n'
    + THEIRS.partition("  db:\n")[2].partition("volumes:\n  data")[0]
    + "volumes:\n  data: {}\n"
)


def meant(folder: Path, files: dict[str, bytes]) -> object:
    """What Docker Compose makes of files that are laid over each other."""
    words = ["docker-compose", "--project-directory", str(folder), "-p", "shop"]
    for name, content in files.items():
        (folder / name).write_bytes(content)
        words += ["-f", str(folder / name)]
    done = subprocess.run([*words, "config"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return _sorted(yaml.safe_load(done.stdout))


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _sorted(inner) for key, inner in value.items()}
    if isinstance(value, list) and not any(isinstance(inner, dict) for inner in value):
        return sorted(value) if "--port" not in value else value
    return value


@pytest.mark.live
def test_compose_reads_the_parts_as_it_would_read_one_merged_file(tmp_path: Path) -> None:
    whole = merge(BASE.encode(), OURS.encode(), THEIRS.encode(), name="compose.yml")
    # A service of ours may belong to either file, which would be asked.
    ours = OURS.replace(CRON, "").encode()
    parts = split(BASE.encode(), ours, {"web.yml": WEB.encode(), "db.yml": DB.encode()})

    asked = [part.conflicts for part in parts.values()]
    together = meant(tmp_path, {name: part.text for name, part in parts.items()})

    assert (whole.conflicts, asked) == ((), [(), ()])
    wanted = whole.text.replace(CRON.encode(), b"")
    assert together == meant(tmp_path, {"whole.yml": wanted})


@pytest.mark.live
def test_compose_reads_reference_and_override_as_it_would_read_one_merged_file(
    tmp_path: Path,
) -> None:
    whole = merge(BASE.encode(), OURS.encode(), THEIRS.encode(), name="compose.yml")

    over = reduced(whole.text, THEIRS.encode(), name="compose.yml")

    assert (over.conflicts, b"image: shop" in over.text) == ((), False)
    both = meant(tmp_path, {"compose.yml": THEIRS.encode(), "override.yml": over.text})
    assert both == meant(tmp_path, {"whole.yml": whole.text})


SERVERS = """\
upstream app {
    server 127.0.0.1:8081;
}
server {
    listen 127.0.0.1:8082;
    server_name shop.example;
    location / {
        proxy_pass http://app;
    }
}
server {
    listen 127.0.0.1:8083;
    server_name files.example;
    root /srv/files;
}
"""


@pytest.mark.live
def test_nginx_reads_the_servers_of_a_divided_file(tmp_path: Path) -> None:
    ours = SERVERS.replace("root /srv/files;", "root /data/files;\n    autoindex on;").replace(
        "        proxy_pass", "        proxy_read_timeout 90s;\n        proxy_pass"
    )
    shop, files = SERVERS.partition("server {\n    listen 127.0.0.1:8083")[::2]
    parts = {
        "nginx/shop.conf": shop.encode(),
        "nginx/files.conf": f"server {{\n    listen 127.0.0.1:8083{files}".encode(),
    }

    found = split(SERVERS.encode(), ours.encode(), parts)

    assert [part.conflicts for part in found.values()] == [(), ()]
    dumped = [_dumped(tmp_path / one, texts) for one, texts in (
        ("whole", {"site.conf": ours.encode()}),
        ("parts", {Path(name).name: part.text for name, part in found.items()}),
    )]  # fmt: skip
    assert sorted(dumped[0]) == sorted(dumped[1])


def _dumped(folder: Path, files: dict[str, bytes]) -> list[str]:
    """Lines of `nginx -T` that are settings of the included files."""
    (folder / "conf.d").mkdir(parents=True)
    for name, content in files.items():
        (folder / "conf.d" / name).write_bytes(content)
    main = folder / "nginx.conf"
    main.write_text(
        f"pid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\n    access_log off;\n    include {folder}/conf.d/*.conf;\n}}\n"
    )
    words = ["nginx", "-T", "-q", "-p", str(folder), "-c", str(main)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    included = done.stdout.partition("/conf.d/")[2].partition("\n")[2]
    return [line for line in included.split("\n") if line.strip() and "# configuration" not in line]


UNIT = """\
[Unit]
Description=The shop
After=network.target

[Service]
ExecStartPre=/bin/true
ExecStart=/bin/sleep 100
Environment=A=1 B=2
EnvironmentFile=-/etc/default/shop
LimitNOFILE=1024
Restart=no

[Install]
WantedBy=multi-user.target
"""
_SHOWN = ("ExecStart", "ExecStartPre", "Environment", "EnvironmentFiles", "UnsetEnvironment",
          "LimitNOFILE", "Restart", "After", "Description", "Nice")  # fmt: skip


@pytest.fixture
def machine(container_host: ContainerHost) -> Iterator[ContainerHost]:
    """A Debian host with systemd; the units of a test are taken away again."""
    yield container_host
    units = " ".join(f"/etc/systemd/system/{name}.service*" for name in ("shop", "whole"))
    container_host.run(f"rm -rf {units}; systemctl daemon-reload")


@pytest.mark.live
@pytest.mark.docker
def test_systemd_reads_unit_and_drop_in_as_it_would_read_the_edited_unit(
    machine: ContainerHost,
) -> None:
    ours = (
        UNIT.replace("sleep 100", "sleep 200")
        .replace("A=1 B=2", "A=1 B=3 C=4")
        .replace("After=network.target", "After=network.target ssh.service")
        .replace("LimitNOFILE=1024", "# many clients\nLimitNOFILE=4096\nNice=5")
        .replace("EnvironmentFile=-/etc/default/shop\n", "")
    )

    over = reduced(ours.encode(), UNIT.encode(), name="shop.service")

    assert over.conflicts == ()
    _install(machine, "/etc/systemd/system/whole.service", ours)
    _install(machine, "/etc/systemd/system/shop.service", UNIT)
    _install(machine, "/etc/systemd/system/shop.service.d/local.conf", over.text.decode())
    machine.run("systemctl daemon-reload")
    assert _shown(machine, "shop") == _shown(machine, "whole")
    assert "Unknown" not in machine.run("systemd-analyze verify shop.service 2>&1", check=False)


def _install(host: ContainerHost, path: str, content: str) -> None:
    host.run(f"mkdir -p $(dirname {path}); cat > {path}", stdin=content)


def _shown(host: ContainerHost, unit: str) -> dict[str, object]:
    """What systemd makes of a unit, without what differs from start to start."""
    shown = host.run(f"systemctl show {unit}.service " + " ".join(f"-p {name}" for name in _SHOWN))
    pairs = (line.partition("=")[::2] for line in shown.split("\n") if line)
    return {name: sorted(value.split()) for name, value in pairs}
