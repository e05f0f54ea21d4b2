"""`changeover run certs ...` on the lab, against a real ACME server, while users read pages."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from labs.catalogage.local import LocalLab

from tests.actions.certified import Users
from tests.guides.test_catalogage import COMPATIBLE, changeover
from tests.servers.pebble import Pebble

pytestmark = pytest.mark.live


@pytest.fixture
def pebble(fresh_lab: LocalLab, tmp_path: Path) -> Iterator[Pebble]:
    """An ACME server that asks its challenges of the lab."""
    server = Pebble.beside(tmp_path / "pebble", fresh_lab.layout.http_port)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def acme(fresh_lab: LocalLab, pebble: Pebble, tmp_path: Path) -> Path:
    """An instance of the lab whose certificate is certbot's to get."""
    lab = fresh_lab
    instance = lab.write_instance(tmp_path / "instance")
    written = yaml.safe_load((instance / "instance.yaml").read_text())
    for name in ("certificate", "certificate_key"):
        written["vars"].pop(name)
    nginx = shlex.join(lab.layout.nginx)
    written["vars"] |= {
        "tls_enabled": True,
        "http_redirects": True,
        "acme_root": str(tmp_path / "www"),
        "acme_server": pebble.directory,
        "acme_ca": str(pebble.authority),
        "certbot_folder": str(tmp_path / "letsencrypt"),
        "dhparams": str(tmp_path / "dhparams.pem"),
        "sites_available": str(tmp_path / "available"),
        "nginx_reload": f"{nginx} -t -q && {nginx} -s reload",
    }
    (tmp_path / "available").mkdir()
    trusted = tmp_path / "ca.crt"
    trusted.write_text(lab.authority.read_text() + pebble.root())
    written["vars"]["ca"] = str(trusted)
    for endpoint in written["endpoints"]:
        endpoint["ca"] = str(trusted)
    (instance / "instance.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    return instance


def serve_as_the_manual_does(lab: LocalLab, live: Path) -> None:
    """Name certbot's files in the site, as the manual's template does."""
    site = Path(lab.layout.sites) / "catalogage.conf"
    text = site.read_text().replace(lab.layout.certificate_key, str(live / "privkey.pem"))
    site.write_text(text.replace(lab.layout.certificate, str(live / "fullchain.pem")))
    lab.nginx.reload()


def archived(folder: Path) -> list[str]:
    return sorted(file.name for file in (folder / "letsencrypt/archive/localhost").glob("cert*"))


def test_certificates_come_change_and_are_revoked_while_users_are_served(
    acme: Path, fresh_lab: LocalLab, tmp_path: Path
) -> None:
    with Users(fresh_lab.layout.https_port) as users:
        issued = changeover(acme, "run", "certs", "issue", "--yes")
        serve_as_the_manual_does(fresh_lab, tmp_path / "letsencrypt/live/localhost")
        deployed = changeover(acme, "apply", "--set", "ref=1.1.0", *COMPATIBLE, "--yes")
        renewed = changeover(acme, "run", "certs", "renew", "--set", "force_renewal=1", "--yes")
        shown = changeover(acme, "run", "certs", "list")
        words = ("run", "certs", "revoke", "--yes", "--approve", "all")
        revoked = changeover(acme, *words, "--set", "revocation_reason=superseded")

    for done in (issued, deployed, renewed, shown, revoked):
        assert done.returncode == 0, done.stdout + done.stderr
    assert users.failed == []
    assert users.requests > 100
    assert archived(tmp_path) == ["cert1.pem", "cert2.pem", "cert3.pem"]
    assert "BEGIN DH PARAMETERS" in (tmp_path / "dhparams.pem").read_text()
    lines = [line for line in shown.stdout.splitlines() if "days left" in line]
    assert lines
    assert lines[0].endswith("served")
    assert "revoke@catalogue" in revoked.stdout
    history = changeover(acme, "history").stdout
    assert "certs-list" not in history, "looking is no run"
    sites = Path(fresh_lab.layout.sites)
    assert not (sites / "00-catalogage-challenge.conf").exists()


def test_dismantling_revokes_the_certificate_and_forgets_it(
    acme: Path, pebble: Pebble, fresh_lab: LocalLab, tmp_path: Path
) -> None:
    issued = changeover(acme, "run", "certs", "issue", "--yes")
    (first,) = (tmp_path / "letsencrypt/archive/localhost").glob("cert*")
    asked = ["openssl", "x509", "-noout", "-serial", "-in", str(first)]
    serial = subprocess.check_output(asked, text=True).strip().removeprefix("serial=")
    before = pebble.status(serial)

    waits = changeover(acme, "run", "dismantle", "--yes")
    still = pebble.status(serial)
    done = changeover(acme, "resume", "--approve", "certificate")

    assert issued.returncode == 0, issued.stdout + issued.stderr
    assert waits.returncode == 7, waits.stdout + waits.stderr
    assert "A revoked certificate stays revoked" in waits.stdout + waits.stderr
    assert (before, still, pebble.status(serial)) == ("Valid", "Valid", "Revoked")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list((tmp_path / "letsencrypt/live").glob("localhost"))
    assert not list((tmp_path / "letsencrypt/renewal").glob("*.conf"))
    assert not (Path(fresh_lab.layout.sites) / "catalogage.conf").exists()
