"""Images of releases and registries of instances, in the commands that move images."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from tests.sources.oci.command import called, data, error, images, release
from tests.sources.oci.setting import holds, pushed

from changeover.sources.oci import sample
from changeover.sources.oci.media import parse_manifest
from changeover.sources.oci.memory import MemoryRegistry

CANARY = "canary-s3cret/+="


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "standing").mkdir()
    monkeypatch.chdir(tmp_path / "standing")
    monkeypatch.delenv("CHANGEOVER_INSTANCE", raising=False)


def published(source: MemoryRegistry, folder: Path, version: str) -> Path:
    """Write a release whose images differ by edition, and push them."""
    lines = []
    for name in ("web", "core", "core-pro"):
        thing = pushed(source, name, version, sample.image([f"{name} {version}".encode()]))
        lines.append(f"{source.host}/{name}:{version}@{thing.digest}")
    folder.mkdir(parents=True)
    text = f"format: 1\nproduct: shop\nversion: '{version}'\nimages: images.yaml\n"
    (folder / "release.yaml").write_text(f"{text}editions: [community, pro]\nsteps: []\n")
    (folder / "images.yaml").write_text(
        f"web: {lines[0]}\ncore: {{image: {{community: {lines[1]}, pro: {lines[2]}}},"
        " when: {file: {path: /not/an:image}}}\n"
    )
    (folder / "compose.yml").write_text("services: {x: {image: 'other.example/x:1'}}\n")
    return folder


@pytest.fixture
def site(tmp_path: Path, source: MemoryRegistry) -> Path:
    """An instance with two releases in its hub."""
    for version in ("1", "2"):
        published(source, tmp_path / "site" / "releases" / version, version)
    return tmp_path / "site"


def described(site: Path, *registries: str) -> None:
    """Write the instance; its registries as lines."""
    (site / "registry.secret").write_text(CANARY)
    text = "format: 1\nproduct: shop\nname: prod\nhubs: [releases]\n"
    text += "hosts: {h: {transport: local}}\n"
    text += "secrets: {registry: {file: registry.secret}, broken: {file: nowhere}}\n"
    (site / "instance.yaml").write_text(text + f"registries: {{{', '.join(registries)}}}\n")


def plain(registry: MemoryRegistry) -> str:
    return f"'{registry.host}': {{plain_http: true}}"


def guarded(registry: MemoryRegistry, kept_in: str = "registry") -> str:
    """Make a registry want a password, and return what an instance says of it."""
    pair = base64.b64encode(f"me:{CANARY}".encode()).decode()
    registry.manner.challenge = 'Basic realm="x"'
    registry.manner.allowed = lambda header: header == f"Basic {pair}"
    password = f'"{{{{ secrets.{kept_in} }}}}"'
    return f"'{registry.host}': {{plain_http: true, user: me, password: {password}}}"


def test_a_releases_images_are_listed_by_name_and_edition(
    source: MemoryRegistry, site: Path
) -> None:
    folder = str(site / "releases" / "1")

    rows = data(images, "list", folder, "--plain-http", source.host)["images"]
    pro = data(images, "list", folder, "--offline", "--edition", "pro")["images"]

    assert [r["names"] for r in rows] == [["web"], ["core (community)"], ["core (pro)"]]
    assert all(r["digest"] for r in rows)
    assert [r["names"] for r in pro] == [["web"], ["core (pro)"]]


def test_versions_of_an_instance_are_compared_edition_by_edition(
    source: MemoryRegistry, site: Path
) -> None:
    described(site, plain(source))

    found = data(images, "diff", "1", "2", "--edition", "pro", "-i", str(site))
    said = called(images, "diff", "1", "2", "-i", str(site))

    assert [c["image"] for c in found["changed"]] == ["core (pro)", "web"]
    assert found["fetch"]["blobs"] == 4
    assert f"changed  core (community)  {source.host}/core:1@" in said


def test_a_version_without_an_instance_is_no_file() -> None:
    assert "no such file" in error(images, "list", "9.9")


def test_a_release_is_packed_with_the_images_of_its_manifest_alone(
    source: MemoryRegistry, site: Path, tmp_path: Path
) -> None:
    folder, out = str(site / "releases" / "1"), f"oci:{tmp_path / 'x'}"

    packed = data(release, "pack", folder, out, "--with-images", "--plain-http", source.host)

    assert packed["images"] == 3


def test_an_instances_secrets_are_its_registries_credentials(
    source: MemoryRegistry, target: MemoryRegistry, site: Path
) -> None:
    thing = pushed(source, "app", "1", sample.image([b"x"]))
    described(site, guarded(source), guarded(target))
    words = ["copy", f"{source.host}/app:1", f"docker://{target.host}/app:1", "-i", str(site)]

    said = called(images, *words)

    assert holds(target, "app", "1", thing)
    assert CANARY not in said


def test_a_secret_that_cannot_be_had_is_asked_for_by_its_own_registry_alone(
    source: MemoryRegistry, target: MemoryRegistry, site: Path
) -> None:
    pushed(source, "app", "1", sample.image([b"x"]))
    described(site, plain(source), guarded(target, "broken"))
    where = ["-i", str(site)]

    called(images, "verify", f"{source.host}/app:1", *where)
    said = error(images, "copy", f"{source.host}/app:1", f"docker://{target.host}/app:1", *where)

    assert "secret broken" in said
    assert "nowhere" in said


def test_a_password_in_clear_is_refused(site: Path, source: MemoryRegistry) -> None:
    described(site, f"'{source.host}': {{user: me, password: hunter2}}")

    said = error(images, "verify", f"{source.host}/app:1", "-i", str(site))

    assert "must not be written here in clear" in said
    assert "hunter2" not in said


def test_hubs_of_an_instance_are_where_releases_are_fetched_from(
    source: MemoryRegistry, target: MemoryRegistry, site: Path
) -> None:
    hub = f"docker://{target.host}/releases/shop"
    described(site, plain(source), guarded(target))
    called(release, "push", str(site / "releases" / "2"), hub, "-i", str(site))
    file = site / "instance.yaml"
    file.write_text(file.read_text().replace("hubs: [releases]", f"hubs: ['{hub}', mine]"))

    listed = data(release, "list", "--available", "-i", str(site))["releases"]
    used = data(release, "use", "shop", "2", "--unsigned", "-i", str(site))

    assert listed == [{"product": "shop", "version": "2", "hub": hub}]
    assert used["to"] == str(site / "mine" / "shop" / "2")
    assert data(release, "list", "-i", str(site))[0]["version"] == "2"


@pytest.mark.parametrize("through", ["file", "registry"])
def test_signatures_of_images_travel_with_their_release(
    source: MemoryRegistry, target: MemoryRegistry, site: Path, tmp_path: Path, through: str
) -> None:
    image = sample.Sample(parse_manifest(source.manifests["web", "2"][1], "test"))
    referrer = sample.image([b"attestation"], subject=image.manifest)
    cosign = sample.image([b"cosign's"])
    tag = image.digest.replace(":", "-") + ".sig"
    pushed(source, "web", referrer.digest, referrer)
    pushed(source, "web", tag, cosign)
    described(site, plain(source), plain(target))
    folder, where = str(site / "releases" / "2"), ["-i", str(site)]
    packed = str(tmp_path / "x.release")
    if through == "file":
        called(release, "pack", folder, packed, "--with-images", *where)
        words = ["--source-dir", packed]
    else:
        hub = f"docker://{target.host}/hub/shop"
        called(release, "push", folder, hub, "--with-images", *where)
        words = ["--hub", hub]

    to = ["--images-to", f"{target.host}/in", "--unsigned"]
    called(release, "use", "shop", "2", *words, *to, *where)

    assert holds(target, "in/web", "2", image)
    assert holds(target, "in/web", referrer.digest, referrer)
    assert holds(target, "in/web", tag, cosign)


def test_the_keys_an_instance_trusts_are_those_of_its_folder(site: Path, tmp_path: Path) -> None:
    described(site)
    (site / "keys").mkdir()
    called(release, "keygen", str(site / "keys" / "vendor"))
    called(release, "keygen", str(tmp_path / "stranger"))
    folder, packed = str(site / "releases" / "1"), str(tmp_path / "x.release")

    called(release, "pack", folder, packed, "--sign", str(site / "keys" / "vendor.key"))
    proof = data(release, "verify", packed, "-i", str(site))
    called(release, "pack", folder, packed, "--sign", str(tmp_path / "stranger.key"))

    assert proof["signed_by"] == ["vendor.pub"]
    assert "trusted are vendor.pub" in error(release, "verify", packed, "-i", str(site))
