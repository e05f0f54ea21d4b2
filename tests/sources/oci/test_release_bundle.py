"""Releases packed, signed, verified and unpacked."""

from __future__ import annotations

import json
import random
import stat
from pathlib import Path

import pytest
from tests.sources.oci.bundled import contents, signing, trusted, written
from tests.sources.oci.command import call, called, data, error, release

from changeover.sources.oci.media import digest_of
from changeover.sources.oci.memory import MemoryRegistry

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


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


def test_nothing_but_the_index_is_read_before_the_signature_is_verified(
    shop: Path, keys: Path, target: MemoryRegistry
) -> None:
    repository, plain = f"docker://{target.host}/shop", ["--plain-http", target.host]
    called(release, "push", str(shop), repository, *signing(keys, "stranger"), *plain)
    target.requests.clear()

    error(release, "pull", f"{repository}:2.0.0", *trusted(keys), *plain)

    assert [r.path for r in target.requests] == ["/v2/shop/manifests/2.0.0"]
