from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.cli.adopting import draft_of
from changeover.engine.adoption import Found, found_lines, read_server, without_password
from changeover.hosts.connect import connect
from changeover.instances.draft import Draft, write_draft
from changeover.instances.folder import open_instance
from changeover.model.instance import HostSpec

SITE = """
# server_name commented.example;
server { listen 80; server_name shop.example; return 301 https://$host$request_uri; }
server {
    listen 443 ssl http2;
    server_name shop.example www.shop.example;
    location / { proxy_pass http://127.0.0.1:3000/; }
    location /api/ { proxy_pass http://127.0.0.1:3579/; }
}
server { listen 80 default_server; server_name _; }
"""
PROGRAM = (
    "[program:api]\ndirectory=/srv/shop\ncommand=python -m api --x=%(a)s\n[unix_http_server]\n"
)
UNIT = "[Service]\nWorkingDirectory=/srv/shop\nExecStart=/srv/shop/run\nExecStart=/again\n"
ENV = 'A="1"\nexport APP_DATABASE_URL="postgresql+asyncpg://u:c4nary@db.example:5432/shop"\nB=http://x\n'


@pytest.fixture
def server(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    files = {
        "etc/nginx/sites-enabled/shop.conf": SITE,
        "etc/supervisor/conf.d/shop.conf": PROGRAM,
        "etc/supervisor/conf.d/broken.conf": "junk\n[",
        "etc/systemd/system/shop.service": UNIT,
        "srv/shop/.env": ENV,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "etc/systemd/system/alias.service").symlink_to("shop.service")
    repository = root / "srv/shop"
    git = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (
        ["init", "-q", "-b", "main"],
        ["commit", "-q", "--allow-empty", "-m", "x"],
        ["remote", "add", "origin", "https://tok3n@git.example/shop.git"],
    ):
        subprocess.run([*git, *words], check=True)
    return root


@pytest.fixture
def found(server: Path) -> Iterator[Found]:
    host = connect(HostSpec("here", transport="local"), state_dir=str(server.parent / "state"))
    yield read_server(host, str(server))
    host.transport.close()


def test_a_server_is_read_as_it_is(found: Found, server: Path) -> None:
    assert [s.names for s in found.sites] == [
        ("shop.example",), ("shop.example", "www.shop.example"),
    ]  # fmt: skip
    assert [s.tls for s in found.sites] == [False, True]
    assert found.sites[1].upstreams == ("http://127.0.0.1:3000/", "http://127.0.0.1:3579/")
    assert [(s.keeper, s.name) for s in found.services] == [
        ("supervisor", "api"), ("systemd", "shop.service"),
    ]  # fmt: skip
    (checkout,) = found.checkouts
    assert checkout.folder == f"{server}/srv/shop"
    assert checkout.branch == "main"
    assert len(checkout.commit) == 40


def test_what_is_shown_holds_no_secret(found: Found) -> None:
    said = "\n".join(found_lines(found)) + repr(found)

    assert "postgresql+asyncpg://u@db.example:5432/shop" in said
    assert "c4nary" not in said
    assert "tok3n" not in said


def test_reading_changes_nothing(server: Path) -> None:
    def state() -> list[tuple[str, int]]:
        return sorted((str(p), p.lstat().st_mtime_ns) for p in server.rglob("*"))

    before = state()
    host = connect(HostSpec("here", transport="local"), state_dir=str(server.parent / "state"))
    read_server(host, str(server))
    host.transport.close()

    assert state() == before
    assert not (server.parent / "state").exists()


def test_an_adopted_server_becomes_an_instance(found: Found, tmp_path: Path) -> None:
    host = {"here": {"transport": "local", "roles": ["web", "db"]}}

    instance = write_draft(tmp_path / "i", draft_of(found, Draft("prod", "shop", host)))

    _, secrets = open_instance(tmp_path / "i")
    assert secrets["database_url"].endswith("c4nary@db.example:5432/shop")
    assert instance.vars["domain"] == "shop.example"
    assert [e.url for e in instance.endpoints] == ["https://shop.example/"]
    assert "c4nary" not in (tmp_path / "i" / "instance.yaml").read_text()


@pytest.mark.parametrize("url", ["http://[bad", "postgres://u:p@h:port/x", "x://u:p@:1"])
def test_an_address_that_cannot_be_read_shows_nothing_secret(url: str) -> None:
    assert ":p@" not in without_password(url)
