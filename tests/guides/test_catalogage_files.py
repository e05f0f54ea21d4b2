"""What the catalogue's guide writes, with the manual's defaults and without any lab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from changeover.engine.render import Scope, rendered_params, scope_for
from changeover.model.instance import HostSpec, Instance
from changeover.sources.doctor import read_doctor
from changeover.sources.folder import load_release
from tests.servers.nginx import Nginx
from tests.servers.program import free_port

GUIDE = Path(__file__).parents[2] / "guides" / "catalogage" / "2023.7"
SECRET = "b#$%&(*-_=+)\\\"'"


def params(step: str, **more: Any) -> Mapping[str, Any]:
    """Render a step of the guide for an instance that says as little as it may."""
    release = load_release(GUIDE)
    (found,) = [s for s in release.steps if s.id == step]
    return rendered_params(found, scope(**more), release)


def scope(**more: Any) -> Scope:
    release = load_release(GUIDE)
    web = HostSpec("web1", roles=("web",))
    variables = {"domain": "catalogue.example", **more}
    databases = {"main": {"url": "postgresql+asyncpg://u:p%20w@db/catalogage"}}
    instance = Instance(
        "prod", GUIDE, "catalogage", {"web1": web}, vars=variables, databases=databases
    )
    return scope_for(instance, web, release=release, secrets={"secret_key": SECRET})


@pytest.mark.parametrize(
    ("said", "file"),
    [
        ({}, "/etc/letsencrypt/live/catalogue.example/fullchain.pem"),
        (
            {"certbot_folder": "/srv/le", "certificate_name": "all"},
            "/srv/le/live/all/fullchain.pem",
        ),
        ({"certificate": "/etc/ssl/mine.crt"}, "/etc/ssl/mine.crt"),
    ],
)
def test_the_doctor_reads_the_certificate_the_site_names(said: dict[str, str], file: str) -> None:
    (organ,) = [one for one in read_doctor(GUIDE).organs if one.kind == "certificates"]

    found = scope(tls_enabled=True, **said).rendered(dict(organ.values), organ.kind)

    assert found["file"] == file
    site = str(params("site", tls_enabled=True, **said)["content"])
    assert f"ssl_certificate {file};" in site


def test_env_has_exactly_the_keys_of_the_manuals_template() -> None:
    lines = str(params("env")["content"]).splitlines()

    assert [line.partition("=")[0] for line in lines if line] == [
        "APP_SECRET_KEY", "APP_SERVER_MODE", "APP_CLIENT_URL", "APP_DATABASE_URL",
        "APP_DATAPASS_URL", "APP_DATAPASS_CLIENT_ID", "APP_DATAPASS_CLIENT_SECRET", "APP_PORT",
        "APP_SENTRY_DSN", "APP_CONFIG_REPO_API_KEY", "TOOLS_PASSWORDS", "VITE_SERVER_MODE",
        "VITE_API_BROWSER_URL", "VITE_API_SSR_URL",
    ]  # fmt: skip


def test_env_keeps_every_character_of_a_secret() -> None:
    first = str(params("env")["content"]).splitlines()[0]

    value = first.removeprefix('APP_SECRET_KEY="').removesuffix('"')

    assert value.replace('\\"', '"').replace("\\\\", "\\") == SECRET


def test_env_takes_further_keys_and_is_for_its_owner_alone() -> None:
    found = params("env", env={"APP_PUBLIC_URL": "https://x"}, service_user="catalogue")

    assert found["content"].endswith('APP_PUBLIC_URL="https://x"\n')
    assert (found["mode"], found["owner"]) == ("0600", "catalogue")


def test_the_manuals_paths_and_ports_are_the_defaults() -> None:
    assert params("current")["link"] == "/root/catalogage"
    assert params("site")["path"] == "/etc/nginx/sites-enabled/catalogage.conf"
    assert params("env")["ours"] == "/root/catalogage/.env"
    assert params("b.programs")["path"] == "/etc/supervisor/conf.d/catalogage-b.conf"
    assert params("a.programs")["path"] == "/etc/supervisor/conf.d/supervisor.conf"
    assert params("a.server-answers")["url"] == "http://127.0.0.1:3579/health/"
    assert params("api-answers")["url"] == "http://catalogue.example/api/health/"
    assert params("api-answers", tls_enabled=True)["url"].startswith("https://")


def test_other_settings_give_a_release_another_folder() -> None:
    first, again = params("checkout")["into"], params("checkout")["into"]
    other = params("checkout", env={"APP_X": "1"})["into"]

    assert first == again
    assert first != other


@pytest.mark.live
def test_nginx_accepts_the_site_without_tls(nginx: Nginx, tmp_path: Path) -> None:
    ports = {"http_port": free_port(), "ssr_port": free_port(), "listen": "127.0.0.1:"}
    site = params("site", serving=str(tmp_path), **ports)

    nginx.write_site("catalogage", site["content"])

    nginx.test()


@pytest.mark.live
def test_maintenance_answers_503_to_reads_and_writes(nginx: Nginx, tmp_path: Path) -> None:
    import urllib.error  # noqa: PLC0415 - this test alone speaks HTTP
    import urllib.request  # noqa: PLC0415 - the same

    port = free_port()
    ports = {"http_port": port, "ssr_port": free_port(), "listen": "127.0.0.1:"}
    nginx.write_site("catalogage", params("site", serving=str(tmp_path), **ports)["content"])
    nginx.reload()
    (tmp_path / "maintenance").write_text("migration\n")

    for data in (None, b"{}"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/x/", data=data)

        with caught.value as answer:
            assert (answer.code, answer.headers["Retry-After"]) == (503, "10")
            assert "Le catalogue est mis à jour".encode() in answer.read()
