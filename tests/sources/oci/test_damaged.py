"""Releases of which a bit was turned over, an end cut off or a part exchanged: refused in words."""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sources.oci.bundled import contents
from tests.sources.oci.command import called, release
from tests.sources.oci.setting import client_to, quick

from changeover.errors import ChangeoverError
from changeover.sources.hub import bring_in, find, parse_hub
from changeover.sources.oci.copier import Options
from changeover.sources.signature import read_public

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """A signed release of four files, as a layout."""
    shop = tmp_path / "shop"
    (shop / "files").mkdir(parents=True)
    (shop / "release.yaml").write_text("format: 1\nproduct: shop\nversion: 2.0.0\nsteps: []\n")
    (shop / "files" / "conf").write_text("a = 1\n" * 50)
    (shop / "files" / "large").write_bytes(random.Random(2).randbytes(20_000))  # noqa: S311 - content
    (shop / "files" / "script").write_text("#!/bin/sh\n")
    called(release, "keygen", str(tmp_path / "vendor"))
    called(
        release, "pack", str(shop), f"oci:{tmp_path / 'x'}", "--sign", str(tmp_path / "vendor.key")
    )
    return tmp_path / "x"


def taken(layout: Path, hub: Path) -> bool:
    """Bring a release in as the command does; tell whether it was refused in words."""
    trusted = read_public([layout.parent / "vendor.pub"])
    with client_to() as client:
        try:
            found = find(parse_hub(f"oci:{layout}"), client, "shop", "2.0.0", trusted)
            bring_in(found, parse_hub(str(hub)), client, Options(jobs=1, budget=quick()))
        except ChangeoverError:
            return False
    return True


def flipped(layout: Path, files: list[Path], bits: Iterator[tuple[int, int]]) -> None:
    """Turn bits over, one at a time: the release is refused, or it is the same."""
    meant = contents(layout.parent / "shop")
    for number, chosen in bits:
        file = files[number]
        whole = file.read_bytes()
        at = chosen % (len(whole) * 8)
        changed = bytearray(whole)
        changed[at // 8] ^= 1 << (at % 8)
        file.write_bytes(bytes(changed))
        hub = layout.parent / f"hub-{number}-{at}"
        hub.mkdir()
        if taken(layout, hub):
            assert contents(hub / "shop" / "2.0.0") == meant, (file, at)
        else:
            assert not (hub / "shop").exists(), (file, at)
        file.write_bytes(whole)
        shutil.rmtree(hub)


def metadata(layout: Path) -> list[Path]:
    """Return the files that say what belongs together."""
    blobs = [f for f in (layout / "blobs" / "sha256").iterdir() if f.read_bytes()[:1] == b"{"]
    return [layout / "index.json", layout / "oci-layout", *sorted(blobs)]


def every_bit(files: list[Path], step: int) -> Iterator[tuple[int, int]]:
    for number, file in enumerate(files):
        for at in range(0, file.stat().st_size * 8, step):
            yield number, at


def some_bits(files: list[Path], count: int) -> Iterator[tuple[int, int]]:
    dice = random.Random(3)  # noqa: S311 - chosen bits
    for _ in range(count):
        yield dice.randrange(len(files)), dice.randrange(1 << 30)


def blobs(layout: Path) -> list[Path]:
    return sorted((layout / "blobs" / "sha256").iterdir())


def test_a_bit_of_the_metadata_that_is_turned_over_is_found(layout: Path) -> None:
    flipped(layout, metadata(layout), every_bit(metadata(layout), 211))


def test_a_bit_of_a_blob_that_is_turned_over_is_found(layout: Path) -> None:
    flipped(layout, blobs(layout), some_bits(blobs(layout), 60))


@pytest.mark.fuzz
def test_every_bit_of_the_metadata_that_is_turned_over_is_found(layout: Path) -> None:
    flipped(layout, metadata(layout), every_bit(metadata(layout), 1))


@pytest.mark.fuzz
def test_ten_thousand_bits_of_blobs_that_are_turned_over_are_found(layout: Path) -> None:
    flipped(layout, blobs(layout), some_bits(blobs(layout), 10_000))


def test_every_truncation_and_every_swap_of_blobs_is_found(layout: Path) -> None:
    files = blobs(layout)
    for file in files:
        whole = file.read_bytes()
        for length in sorted({0, 1, len(whole) // 2, len(whole) - 1} - {len(whole)}):
            file.write_bytes(whole[:length])
            assert not taken(layout, layout.parent / "hub")
        file.write_bytes(whole)
    for one, other in itertools.pairwise(files):
        first, second = one.read_bytes(), other.read_bytes()
        one.write_bytes(second)
        other.write_bytes(first)
        assert not taken(layout, layout.parent / "hub")
        one.write_bytes(first)
        other.write_bytes(second)
    assert not (layout.parent / "hub" / "shop").exists()
    assert taken(layout, layout.parent / "hub")
