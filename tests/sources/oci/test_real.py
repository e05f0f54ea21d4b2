"""Against Debian's registry: open, with passwords, with TLS, with and without deletion."""

from __future__ import annotations

import datetime
import ipaddress
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.sources.oci.servers import Server, docker_registry
from tests.sources.oci.setting import client_to, copied, one, quick

from changeover.sources.oci import sample
from changeover.sources.oci.client import Client, Settings
from changeover.sources.oci.credential import Credential
from changeover.sources.oci.network import Network
from changeover.sources.oci.order import Status
from changeover.sources.oci.verify import Asked, Verifier

pytestmark = pytest.mark.live


def stock(client: Client, host: str, name: str, *layers: bytes) -> sample.Sample:
    thing = sample.image(list(layers))
    sample.push(client.registry(host), name, "1", thing)
    return thing


def sound(client: Client, host: str, name: str, tag: str = "1") -> bool:
    asked = [Asked(client.registry(host), name, tag, f"{host}/{name}:{tag}")]
    verdicts = Verifier(deep=True, jobs=2, budget=quick()).run(asked, lambda _: None)
    return all(v.sound for v in verdicts)


def test_images_go_from_one_to_the_other_and_are_sound(
    debian: Server, debian_other: Server
) -> None:
    with client_to(debian.host, debian_other.host) as client:
        shared = sample.layer(1, 2_000_000)
        for name in ("real/a", "real/b"):
            stock(client, debian.host, name, shared, name.encode(), b"")
        sources = [f"{debian.host}/real/{n}:1" for n in "ab"]
        to = f"docker://{debian_other.host}/m"

        first = copied(client, sources, to)
        again = copied(client, sources, to)

        assert first.failed == ()
        assert sum(i.mounted for i in first.images) == 2
        assert {i.status for i in again.images} == {Status.UNCHANGED}
        assert all(sound(client, debian_other.host, f"m/real/{n}") for n in "ab")
    assert debian_other.uploads() == []


def test_signatures_arrive_under_the_fallback_tag(debian: Server, debian_other: Server) -> None:
    with client_to(debian.host, debian_other.host) as client:
        thing = stock(client, debian.host, "signed", b"content")
        for kind in (b"one", b"two"):
            signature = sample.image([kind], subject=thing.manifest)
            sample.push(client.registry(debian.host), "signed", signature.digest, signature)

        to = f"docker://{debian_other.host}/signed:1"
        result = one(copied(client, [f"{debian.host}/signed:1"], to))
        index = client.registry(debian_other.host).manifest(
            "signed", thing.digest.replace(":", "-")
        )

    assert result.attached == 2
    assert len(index.children) == 2


def test_an_empty_blob_is_found_and_reported_because_the_registry_keeps_it(
    debian: Server, debian_other: Server
) -> None:
    with client_to(debian.host, debian_other.host) as client:
        thing = stock(client, debian.host, "hurt", sample.layer(77, 5000))
        to = f"docker://{debian_other.host}/hurt:1"
        copied(client, [f"{debian.host}/hurt:1"], to)
        victim = thing.manifest.blobs[1].digest
        debian_other.blob_file(victim).write_bytes(b"")

        summary = copied(client, [f"{debian.host}/hurt:1"], to)
        assert not sound(client, debian_other.host, "hurt")

    assert "keeps the damaged bytes" in summary.failed[0].error
    assert debian_other.blob_file(victim).is_file()
    path = debian_other.blob_file(victim).parent.relative_to(debian_other.storage)
    assert str(path) in summary.failed[0].remedy


def test_the_administrators_remedy_works(debian: Server, tmp_path: Path) -> None:
    with docker_registry(tmp_path / "own") as own, client_to(debian.host, own.host) as client:
        thing = stock(client, debian.host, "hurt2", sample.layer(78, 5000))
        to = f"docker://{own.host}/hurt2:1"
        copied(client, [f"{debian.host}/hurt2:1"], to)
        victim = own.blob_file(thing.manifest.blobs[1].digest)
        victim.write_bytes(b"")
        own.stop()
        victim.unlink()
        victim.parent.rmdir()
        own.start()

        one(copied(client, [f"{debian.host}/hurt2:1"], to))

        assert sound(client, own.host, "hurt2")


def test_a_registry_that_does_not_delete_is_copied_to_all_the_same(
    debian: Server, tmp_path: Path
) -> None:
    with (
        docker_registry(tmp_path / "own", delete=False) as own,
        client_to(debian.host, own.host) as client,
    ):
        stock(client, debian.host, "plain", b"x")

        one(copied(client, [f"{debian.host}/plain:1"], f"docker://{own.host}/plain:1"))

        assert sound(client, own.host, "plain")
        assert client.registry(own.host).delete_tag("plain", "1") is False


def test_basic_authentication(debian: Server, tmp_path: Path) -> None:
    password = tmp_path / "htpasswd"
    made = subprocess.run(
        ["htpasswd", "-Bbn", "me", "pa:ss"], capture_output=True, check=True, text=True
    )
    password.write_text(made.stdout)
    auth = {"htpasswd": {"realm": "test", "path": str(password)}}
    with docker_registry(tmp_path / "own", auth=auth) as own:
        with client_to(debian.host, own.host) as client:
            stock(client, debian.host, "basic", b"x")
            to = f"docker://{own.host}/basic:1"
            anonymous = copied(client, [f"{debian.host}/basic:1"], to)
        given = {own.host: Credential("me", "pa:ss")}
        with client_to(debian.host, own.host, given=given) as client:
            result = one(copied(client, [f"{debian.host}/basic:1"], to))

    assert "wants credentials and there are none" in anonymous.failed[0].error
    assert "docker login" in anonymous.failed[0].remedy
    assert result.status is Status.COPIED


def test_tls_with_an_authority_of_ones_own(debian: Server, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with docker_registry(tmp_path / "own", tls=(certificate, key)) as own:
        with client_to(debian.host) as client:
            stock(client, debian.host, "tls", sample.layer(5, 700_000))
            to = f"docker://{own.host}/tls:1"
            refused = copied(client, [f"{debian.host}/tls:1"], to)
        folder = tmp_path / "certs.d" / own.host
        folder.mkdir(parents=True)
        (folder / "ca.crt").write_bytes(certificate.read_bytes())
        network = Network(
            frozenset({debian.host}),
            cert_dirs=(tmp_path / "certs.d",),
            environ={"HOME": "/nonexistent"},
        )
        with Client(Settings(network, quick())) as client:
            result = one(copied(client, [f"{debian.host}/tls:1"], to))

    assert "certificate" in refused.failed[0].error
    assert own.host in refused.failed[0].remedy
    assert result.status is Status.COPIED


def test_a_client_certificate_is_shown_to_the_registry_that_wants_one(
    debian: Server, tmp_path: Path
) -> None:
    pair = self_signed(tmp_path)
    folder = tmp_path / "certs.d"
    with docker_registry(tmp_path / "own", tls=pair, client_authority=pair[0]) as own:
        (folder / own.host).mkdir(parents=True)
        (folder / own.host / "ca.crt").write_bytes(pair[0].read_bytes())
        network = Network(frozenset({debian.host}), (folder,), environ={"HOME": "/nonexistent"})
        to = f"docker://{own.host}/mtls:1"
        with Client(Settings(network, quick())) as client:
            stock(client, debian.host, "mtls", b"x")
            refused = copied(client, [f"{debian.host}/mtls:1"], to)
        for file, name in zip(pair, ("client.cert", "client.key"), strict=True):
            (folder / own.host / name).write_bytes(file.read_bytes())
        with Client(Settings(network, quick())) as client:
            one(copied(client, [f"{debian.host}/mtls:1"], to))

    assert "wants a client certificate" in refused.failed[0].error


def test_plain_http_is_spoken_only_when_asked_for(debian: Server) -> None:
    with client_to() as client:
        summary = copied(client, [f"{debian.host}/x:1"], "oci:/nonexistent/never")

    assert summary.failed


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private
