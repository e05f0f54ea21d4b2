"""Releases with their images carried: through disks, hubs and registries to an instance."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sources.oci.bundled import contents, signing, trusted
from tests.sources.oci.command import call, called, data, error, images, release

from changeover.errors import ChangeoverError
from changeover.sources.oci.media import digest_of
from changeover.sources.oci.memory import MemoryRegistry

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


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
