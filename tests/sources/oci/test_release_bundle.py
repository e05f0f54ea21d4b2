"""Releases packed, signed, carried and unpacked."""

from __future__ import annotations

import json
import random
import stat
from pathlib import Path

import pytest
from tests.sources.oci.command import call, called, data, error, images, release
from tests.sources.oci.setting import client_to, pushed, quick

from changeover.errors import ChangeoverError, InvalidRelease
from changeover.sources.hub import find, parse_hub
from changeover.sources.oci import sample
from changeover.sources.oci.layout_target import LayoutFolder
from changeover.sources.oci.media import (
    OCI_EMPTY,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    canonical,
    digest_of,
    index_body,
    parse_manifest,
)
from changeover.sources.oci.memory import MemoryRegistry
from changeover.sources.oci.sample import Sample
from changeover.sources.shipped import ARTIFACT, FILE, PRODUCT, TITLE, VERSION
from changeover.sources.unpack import unpack


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with the vendor's keys, and another one nobody trusts."""
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("vendor", "next", "stranger"):
        called(release, "keygen", str(folder / name))
    return folder


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hubs are folders beside where one stands, unless a command says otherwise."""
    (tmp_path / "standing").mkdir()
    monkeypatch.chdir(tmp_path / "standing")


def written(folder: Path, version: str, **files: str) -> Path:
    """Write a release folder."""
    folder.mkdir(parents=True)
    text = f"format: 1\nproduct: shop\nversion: {version}\nsteps: []\n"
    (folder / "release.yaml").write_text(text)
    for name, content in files.items():
        path = folder / "files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    return folder


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return written(tmp_path / "shop", "2.0.0", conf="a = 1\n", script="#!/bin/sh\n", empty="")


def trusted(keys: Path, *names: str) -> list[str]:
    return [w for n in names or ("vendor",) for w in ("--key", str(keys / f"{n}.pub"))]


def signing(keys: Path, *names: str) -> list[str]:
    return [w for n in names or ("vendor",) for w in ("--sign", str(keys / f"{n}.key"))]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_private_key_is_for_its_owner_alone_and_never_overwritten(keys: Path) -> None:
    assert stat.S_IMODE((keys / "vendor.key").stat().st_mode) == 0o600
    assert "File exists" in error(release, "keygen", str(keys / "vendor"))


@pytest.mark.parametrize("place", ["shop.release", "oci:layout"])
def test_a_packed_release_is_verified_and_unpacks_to_the_same_files(
    shop: Path, keys: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (shop / "files" / "script").chmod(0o755)
    called(release, "pack", str(shop), place, *signing(keys))

    proof = data(release, "verify", place, *trusted(keys))
    called(release, "import", place, "--hub", "hub", *trusted(keys))

    assert proof["signed_by"] == ["vendor.pub"]
    assert contents(tmp_path / "hub" / "shop" / "2.0.0") == contents(shop)
    assert (tmp_path / "hub/shop/2.0.0/files/script").stat().st_mode & 0o100


def test_the_same_release_gives_the_same_file(shop: Path, keys: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        called(release, "pack", str(shop), str(tmp_path / name), *signing(keys))

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_release_signed_by_nobody_trusted_is_refused(
    shop: Path, keys: Path, tmp_path: Path
) -> None:
    packed = str(tmp_path / "x.release")
    called(release, "pack", str(shop), packed, *signing(keys, "stranger"))

    assert "trusted are vendor.pub" in error(release, "verify", packed, *trusted(keys))
    assert "trusted are" in error(release, "import", packed, *trusted(keys))
    called(release, "pack", str(shop), packed)
    assert "signature envelope is broken" in error(release, "verify", packed, *trusted(keys))
    assert "no key is trusted" in error(release, "verify", packed)


def test_keys_are_rotated_by_signing_with_both(shop: Path, keys: Path, tmp_path: Path) -> None:
    packed = str(tmp_path / "x.release")
    called(release, "pack", str(shop), packed, *signing(keys))

    called(release, "sign", packed, *signing(keys, "next"))

    for name in ("vendor", "next"):
        assert data(release, "verify", packed, *trusted(keys, name))["signed_by"] == [f"{name}.pub"]
    assert "trusted are" in error(release, "verify", packed, *trusted(keys, "stranger"))


def test_every_altered_byte_is_found(shop: Path, keys: Path, tmp_path: Path) -> None:
    packed = tmp_path / "x.release"
    called(release, "pack", str(shop), str(packed), *signing(keys))
    whole = packed.read_bytes()
    dice = random.Random(1)  # noqa: S311 - chosen bits
    meant = contents(shop)

    for _ in range(150):
        at = dice.randrange(len(whole))
        packed.write_bytes(
            whole[:at] + bytes([whole[at] ^ (1 << dice.randrange(8))]) + whole[at + 1 :]
        )
        result = call(
            release, "import", str(packed), "--hub", str(tmp_path / "hub"), *trusted(keys)
        )
        unpacked = tmp_path / "hub" / "shop" / "2.0.0"
        # Padding and times in the tar's headers mean nothing; all that means something is covered.
        assert result.exit_code != 0 or contents(unpacked) == meant


def test_a_truncated_file_is_refused(shop: Path, keys: Path, tmp_path: Path) -> None:
    packed = tmp_path / "x.release"
    called(release, "pack", str(shop), str(packed), *signing(keys))
    whole = packed.read_bytes()

    for length in range(0, len(whole) - 1024, 509):
        packed.write_bytes(whole[:length])
        result = call(release, "verify", str(packed), *trusted(keys))
        assert result.exit_code != 0
        assert not isinstance(result.exception, (TypeError, KeyError, AttributeError, ValueError))


def test_an_altered_file_is_refused_by_its_name(shop: Path, keys: Path, tmp_path: Path) -> None:
    place = tmp_path / "layout"
    called(release, "pack", str(shop), f"oci:{place}", *signing(keys))
    digest = digest_of(b"a = 1\n")
    blob = place / "blobs" / digest.replace(":", "/")
    blob.write_bytes(b"a = 2\n")

    assert "files/conf" in error(release, "verify", f"oci:{place}", *trusted(keys))
    blob.unlink()
    assert "files/conf" in error(release, "import", f"oci:{place}", *trusted(keys))


def test_another_release_under_its_tag_is_refused(shop: Path, keys: Path, tmp_path: Path) -> None:
    place = tmp_path / "layout"
    older = written(tmp_path / "old", "1.0.0")
    for folder in (shop, older):
        called(release, "pack", str(folder), f"oci:{place}", *signing(keys))
    index = json.loads((place / "index.json").read_text())
    for entry in index["manifests"]:
        name = entry["annotations"]["org.opencontainers.image.ref.name"]
        other = {"shop:1.0.0": "shop:2.0.0", "shop:2.0.0": "shop:1.0.0"}[name]
        entry["annotations"]["org.opencontainers.image.ref.name"] = other
    (place / "index.json").write_text(json.dumps(index))

    words = ["import", f"oci:{place}", "--release", "shop:2.0.0", *trusted(keys)]
    assert "is shop 1.0.0 in truth" in error(release, *words)


@pytest.fixture
def pictured(source: MemoryRegistry, tmp_path: Path) -> dict[str, Path]:
    """Two releases with images in a registry: a shared layer, and one that changes."""
    shared = sample.layer(1, 200_000)
    for tag in ("1", "2"):
        pushed(source, "app", tag, sample.image([shared, f"app {tag}".encode()]))
    pushed(source, "db", "1", sample.image([sample.layer(3, 100_000)]))
    folders = {}
    for version, tag in (("1.0.0", "1"), ("2.0.0", "2")):
        folder = written(tmp_path / version, version, conf="same\n", notes=f"notes of {version}\n")
        named = f"images:\n  app: {source.host}/app:{tag}\n  db: {source.host}/db:1\n"
        (folder / "images.yaml").write_text(named)
        folders[version] = folder
    return folders


def test_an_export_since_moves_what_is_new_to_the_byte(
    source: MemoryRegistry, pictured: dict[str, Path], keys: Path, tmp_path: Path
) -> None:
    hub, carried, plain = tmp_path / "hub", tmp_path / "disk", ["--plain-http", source.host]
    for folder in pictured.values():
        words = ["push", str(folder), f"oci:{hub}", "--with-images", *signing(keys), *plain]
        called(release, *words)
    words = ["--hub", f"oci:{hub}", *trusted(keys)]
    for version in ("1.0.0", "2.0.0"):
        whole = str(tmp_path / f"whole-{version}")
        called(release, "export", f"shop:{version}", "--dest", whole, *words)

    words += ["--dest", str(carried), "--since", "1.0.0"]
    moved = data(release, "export", "shop:2.0.0", *words)

    old, new = contents(tmp_path / "whole-1.0.0"), contents(tmp_path / "whole-2.0.0")
    lacking = {p: c for p, c in new.items() if p not in old and p.startswith("blobs/")}
    assert {p: c for p, c in contents(carried).items() if p.startswith("blobs/")} == lacking
    assert moved["bytes"] < 1_000


def test_an_import_takes_the_rest_from_the_hub(
    source: MemoryRegistry, pictured: dict[str, Path], keys: Path, tmp_path: Path
) -> None:
    hub, disk, site = tmp_path / "hub", tmp_path / "disk", tmp_path / "site"
    plain = ["--plain-http", source.host]
    for folder in pictured.values():
        called(release, "push", str(folder), f"oci:{hub}", "--with-images", *signing(keys), *plain)
    words = ["--hub", f"oci:{hub}", *trusted(keys)]
    called(release, "export", "shop:1.0.0", "--dest", f"{disk}1", *words)
    called(release, "export", "shop:2.0.0", "--dest", f"{disk}2", "--since", "1.0.0", *words)

    refused = call(release, "import", f"{disk}2", "--hub", str(site), *trusted(keys)).exception
    called(release, "import", f"{disk}1", "--hub", str(site), *trusted(keys))
    called(release, "import", f"{disk}2", "--hub", str(site), *trusted(keys))

    assert isinstance(refused, ChangeoverError)
    assert "not there" in refused.message
    assert "import that one first" in refused.remedy
    assert contents(site / "shop" / "2.0.0") == contents(pictured["2.0.0"])
    called(release, "verify", f"oci:{site / '.bundles'}", "--release", "shop:2.0.0", *trusted(keys))


def test_releases_are_exported_from_where_they_are_imported_to(
    shop: Path, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called(release, "pack", str(shop), str(tmp_path / "shop.release"), *signing(keys))
    monkeypatch.chdir(tmp_path)

    called(release, "import", "shop.release", *trusted(keys))
    called(release, "export", "2.0.0", "--dest", "disk", *trusted(keys))
    called(release, "import", "disk", "--hub", "other", *trusted(keys))

    assert contents(tmp_path / "other" / "shop" / "2.0.0") == contents(shop)


def test_a_release_goes_through_a_registry_with_its_images(
    source: MemoryRegistry,
    target: MemoryRegistry,
    pictured: dict[str, Path],
    keys: Path,
    tmp_path: Path,
) -> None:
    target.manner.page = 1
    plain = ["--plain-http", source.host, "--plain-http", target.host]
    repository = f"docker://{target.host}/releases/shop"
    for folder in pictured.values():
        called(release, "push", str(folder), repository, "--with-images", *signing(keys), *plain)

    listed = data(release, "list", "--available", repository, *plain)["releases"]
    words = ["pull", f"{repository}:2.0.0", "--to", str(tmp_path / "site")]
    called(release, *words, *trusted(keys), *plain)

    assert [r["version"] for r in listed] == ["1.0.0", "2.0.0"]
    assert contents(tmp_path / "site" / "shop" / "2.0.0") == contents(pictured["2.0.0"])
    bundles = f"oci:{tmp_path / 'site' / '.bundles'}"
    called(release, "verify", bundles, "--release", "shop:2.0.0", *trusted(keys))


def hostile(folder: Path, paths: list[str], sizes: int = 0) -> None:
    """Write a layout whose release has these paths."""
    layout = LayoutFolder(folder)
    layout.prepare()
    content = b"x"
    thing = Sample(
        parse_manifest(index_body(()), "t"), {digest_of(content): content, digest_of(b"{}"): b"{}"}
    )
    sample.push(layout, "", "throwaway", thing)
    layers = [
        Descriptor(FILE, digest_of(content), sizes or 1, annotations={TITLE: p}) for p in paths
    ]
    tree = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": ARTIFACT,
        "config": Descriptor(OCI_EMPTY, digest_of(b"{}"), 2).document(),
        "layers": [x.document() for x in layers],
    }
    files = parse_manifest(canonical(tree), "t")
    layout.put_manifest("", files.digest, files)
    child = Descriptor(OCI_MANIFEST, files.digest, len(files.body), artifact_type=ARTIFACT)
    notes = {PRODUCT: "shop", VERSION: "1.0"}
    layout.put_manifest("shop", "1.0", parse_manifest(index_body((child,), notes), "t", OCI_INDEX))


@pytest.mark.parametrize(
    "paths",
    [
        ["../out"],
        ["/abs"],
        ["a/../../out"],
        ["a//b"],
        [""],
        ["."],
        ["a\x00b"],
        ["a\nb"],
        ["back\\slash"],
        ["c:drive"],
        ["same", "same"],
        ["Same", "same"],
        ["dir/x", "DIR/y"],
        ["file", "file/below"],
        ["file/below", "file"],
        ["caf\u00e9", "cafe\u0301"],
        ["x" * 300],
        ["a/" * 600 + "b"],
        [" lead"],
        ["a\u202eb"],
    ],
)
def test_hostile_paths_write_nothing(tmp_path: Path, paths: list[str]) -> None:
    hostile(tmp_path / "layout", paths)
    out = tmp_path / "in" / "shop"

    with client_to() as client:
        found = find(parse_hub(f"oci:{tmp_path / 'layout'}"), client, "shop", "1.0", None)
        with pytest.raises(InvalidRelease):
            unpack(found.source, found.name, found.shipment, out, quick())

    assert not (tmp_path / "in").exists()


def test_bombs_and_swarms_of_files_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    cases = {"swarm": ([f"f{n}" for n in range(10_001)], 0), "bomb": (["big"], 1 << 40)}
    for name, (paths, sizes) in cases.items():
        hostile(tmp_path / name, paths, sizes)
        with client_to() as client:
            found = find(parse_hub(f"oci:{tmp_path / name}"), client, "shop", "1.0", None)
            with pytest.raises(InvalidRelease, match=r"more than 10000|more bytes"):
                unpack(found.source, found.name, found.shipment, tmp_path / "out", quick())


def test_nothing_but_the_index_is_read_before_the_signature_is_verified(
    shop: Path, keys: Path, target: MemoryRegistry
) -> None:
    repository, plain = f"docker://{target.host}/shop", ["--plain-http", target.host]
    called(release, "push", str(shop), repository, *signing(keys, "stranger"), *plain)
    target.requests.clear()

    error(release, "pull", f"{repository}:2.0.0", *trusted(keys), *plain)

    assert [r.path for r in target.requests] == ["/v2/shop/manifests/2.0.0"]


def test_images_of_a_bundle_can_be_copied_from_it(
    source: MemoryRegistry, target: MemoryRegistry, pictured: dict[str, Path], tmp_path: Path
) -> None:
    plain = ["--plain-http", source.host, "--plain-http", target.host]
    called(
        release, "pack", str(pictured["1.0.0"]), f"oci:{tmp_path / 'x'}", "--with-images", *plain
    )
    digest = source.manifests["app", "1"][1]

    place = f"oci:{tmp_path / 'x'}:@{digest_of(digest)}"
    called(images, "copy", place, f"docker://{target.host}/app:1", *plain)

    assert target.manifests["app", "1"][1] == digest


def test_an_instance_gets_the_release_and_its_images(
    source: MemoryRegistry,
    target: MemoryRegistry,
    pictured: dict[str, Path],
    keys: Path,
    tmp_path: Path,
) -> None:
    plain = ["--plain-http", source.host, "--plain-http", target.host]
    disk, site = str(tmp_path / "x.release"), tmp_path / "site"
    signed = [*signing(keys), *plain]
    called(release, "pack", str(pictured["2.0.0"]), disk, "--with-images", *signed)
    (site / "keys").mkdir(parents=True)
    (site / "keys" / "vendor.pub").write_bytes((keys / "vendor.pub").read_bytes())
    text = "format: 1\nproduct: shop\nname: prod\nhubs: [releases]\n"
    text += "hosts: {here: {transport: local}}\n"
    (site / "instance.yaml").write_text(text)

    words = ["use", "shop", "2.0.0", "-i", str(site), "--key", str(site / "keys")]
    to = f"{target.host}/in"
    done = data(release, *words, "--source-dir", disk, "--images-to", to, *plain)

    unpacked = site / "releases" / "shop" / "2.0.0"
    assert done["to"] == str(unpacked)
    assert contents(unpacked) == contents(pictured["2.0.0"])
    assert target.manifests["in/app", "2"] == source.manifests["app", "2"]
    assert "not there" in error(release, *words[:2], "9.9", *words[3:], "--source-dir", disk)
