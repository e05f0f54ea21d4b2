"""Layouts in folders and tars, and `docker save` archives."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sources.oci.setting import client_to, copied, holds, one, pushed

from changeover.sources.oci import sample
from changeover.sources.oci.fault import ImageFault
from changeover.sources.oci.media import canonical, digest_of
from changeover.sources.oci.memory import MemoryRegistry
from changeover.sources.oci.order import Status
from changeover.sources.oci.sample import Sample


@pytest.fixture
def stocked(source: MemoryRegistry) -> dict[str, Sample]:
    """A registry with an index, an image with a signature, and one known by digest alone."""
    shared = sample.layer(1, 50_000)
    things = {
        "team/app:1": sample.index(
            {"linux/amd64": sample.image([shared]), "linux/arm64": sample.image([b"a"])}
        ),
        "web:2": sample.image([shared, b"web", b""]),
    }
    for name, thing in things.items():
        repository, _, tag = name.partition(":")
        pushed(source, repository, tag, thing)
    signature = sample.image([b"sig"], subject=things["web:2"].manifest)
    pushed(source, "web", signature.digest, signature)
    return things


@pytest.mark.parametrize("kind", ["oci", "oci-archive"])
def test_a_layout_carries_images_from_registry_to_registry(
    source: MemoryRegistry,
    target: MemoryRegistry,
    stocked: dict[str, Sample],
    tmp_path: Path,
    kind: str,
) -> None:
    place = f"{kind}:{tmp_path / 'x'}"
    with client_to(source.host, target.host) as client:
        copied(client, [f"{source.host}/{n}" for n in stocked], place)
    with client_to(target.host) as client:
        summary = copied(client, [place], f"docker://{target.host}/in/")
        referrers = client.registry(target.host).referrers("in/web", stocked["web:2"].digest)

    assert [i.error for i in summary.failed] == []
    assert all(
        holds(target, f"in/{n.split(':')[0]}", n.split(":")[1], t) for n, t in stocked.items()
    )
    assert len(referrers) == 1


def test_an_image_known_by_digest_alone_keeps_its_name_in_a_layout(
    source: MemoryRegistry, target: MemoryRegistry, stocked: dict[str, Sample], tmp_path: Path
) -> None:
    digest = stocked["web:2"].digest
    with client_to(source.host, target.host) as client:
        copied(client, [f"{source.host}/web@{digest}"], f"oci:{tmp_path / 'x'}")
        result = one(copied(client, [f"oci:{tmp_path / 'x'}"], f"docker://{target.host}/in/"))

    assert result.target == f"{target.host}/in/web"
    assert holds(target, "in/web", digest, stocked["web:2"])


def test_a_second_export_writes_nothing(
    source: MemoryRegistry, stocked: dict[str, Sample], tmp_path: Path
) -> None:
    with client_to(source.host) as client:
        copied(client, [f"{source.host}/{n}" for n in stocked], f"oci:{tmp_path / 'x'}")
        before = {p: p.stat().st_mtime_ns for p in (tmp_path / "x").rglob("*") if p.is_file()}

        summary = copied(client, [f"{source.host}/{n}" for n in stocked], f"oci:{tmp_path / 'x'}")

    assert {i.status for i in summary.images} == {Status.UNCHANGED}
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "x").rglob("*") if p.is_file()} == before


def test_the_same_images_give_the_same_archive(
    source: MemoryRegistry, stocked: dict[str, Sample], tmp_path: Path
) -> None:
    with client_to(source.host) as client:
        for name in ("a", "b"):
            place = f"oci-archive:{tmp_path / name}"
            copied(client, [f"{source.host}/{n}" for n in stocked], place, jobs=1)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_truncated_blob_in_a_layout_is_refused_by_name(
    source: MemoryRegistry, target: MemoryRegistry, stocked: dict[str, Sample], tmp_path: Path
) -> None:
    with client_to(source.host, target.host) as client:
        copied(client, [f"{source.host}/web:2"], f"oci:{tmp_path / 'x'}")
        digest = stocked["web:2"].manifest.blobs[1].digest
        blob = tmp_path / "x" / "blobs" / digest.replace(":", "/")
        blob.write_bytes(blob.read_bytes()[:-1])

        summary = copied(client, [f"oci:{tmp_path / 'x'}"], f"docker://{target.host}/in/")

    assert digest.partition(":")[2] in summary.failed[0].error


def test_a_full_disk_is_said_and_the_next_run_goes_on(
    source: MemoryRegistry,
    stocked: dict[str, Sample],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = [0]
    real = os.write

    def full(descriptor: int, content: bytes) -> int:
        written[0] += len(content)
        if written[0] > 30_000:
            raise OSError(28, "No space left on device")
        return real(descriptor, content)

    with client_to(source.host) as client:
        monkeypatch.setattr("changeover.sources.oci.layout_target.os.write", full)
        failed = copied(client, [f"{source.host}/web:2"], f"oci:{tmp_path / 'x'}")
        monkeypatch.undo()
        done = copied(client, [f"{source.host}/web:2"], f"oci:{tmp_path / 'x'}")

    assert "the disk is full" in failed.failed[0].error
    assert done.failed == ()
    assert [p.name for p in (tmp_path / "x").rglob("*.partial")] == []


def docker_save(file: Path, layers: list[bytes], tag: str, links: bool = False) -> Sample:
    """Write what `docker save` writes, older engines' links between equal layers included."""
    thing = sample.image(layers)
    config = thing.blobs[thing.manifest.blobs[0].digest]
    with tarfile.open(file, "w") as archive:

        def add(name: str, content: bytes) -> None:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))

        names = []
        for number, content in enumerate(layers):
            names.append(f"{number}/layer.tar")
            if links and content in layers[:number]:
                member = tarfile.TarInfo(names[-1])
                member.type = tarfile.SYMTYPE
                member.linkname = f"../{layers.index(content)}/layer.tar"
                archive.addfile(member)
            else:
                add(names[-1], content)
        add("config.json", config)
        listing = [{"Config": "config.json", "RepoTags": [tag] if tag else None, "Layers": names}]
        add("manifest.json", json.dumps(listing).encode())
    return thing


@pytest.mark.parametrize("links", [False, True])
def test_a_docker_archive_is_copied_with_a_manifest_of_its_own(
    target: MemoryRegistry, tmp_path: Path, links: bool
) -> None:
    layers = [sample.layer(1, 40_000), b"two", sample.layer(1, 40_000)]
    docker_save(tmp_path / "x.tar", layers, "team/app:3", links)

    with client_to(target.host) as client:
        place = f"docker-archive:{tmp_path / 'x.tar'}"
        first = one(copied(client, [place], f"docker://{target.host}/in/"))
        again = one(copied(client, [place], f"docker://{target.host}/in/"))

    assert first.target == f"{target.host}/in/team/app:3"
    assert again.status is Status.UNCHANGED
    assert all(target.blobs["in/team/app", digest_of(c)] == c for c in layers)


def zstd(content: bytes) -> bytes:
    done = subprocess.run(["zstd", "-c"], input=content, capture_output=True, check=True)
    return done.stdout


@pytest.mark.parametrize("pack", [gzip.compress, zstd, bz2.compress, lzma.compress])
def test_a_compressed_archive_is_copied_like_any_other(
    target: MemoryRegistry, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    layers = [sample.layer(1, 400_000), b"two"]
    thing = docker_save(tmp_path / "x.tar", layers, "team/app:3")
    (tmp_path / "y").write_bytes(pack((tmp_path / "x.tar").read_bytes()))

    with client_to(target.host) as client:
        first = one(
            copied(client, [f"docker-archive:{tmp_path / 'x.tar'}"], f"docker://{target.host}/a/")
        )
        second = one(
            copied(client, [f"docker-archive:{tmp_path / 'y'}"], f"docker://{target.host}/b/")
        )

    assert first.digest == second.digest
    assert all(target.blobs["b/team/app", d] == c for d, c in thing.blobs.items())


def test_no_room_to_unpack_an_archive_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "x.tar").write_bytes(gzip.compress(b"x" * 99_999))
    monkeypatch.setattr("changeover.sources.oci.tree_packed.shutil.copyfileobj", full)

    with client_to() as client, pytest.raises(ImageFault, match="no room to unpack it"):
        copied(client, [f"docker-archive:{tmp_path / 'x.tar'}"], f"oci:{tmp_path / 'y'}")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a whole tar"),
        (b"\x1f\x8b junk", "not a whole gzip file"),
        (b"\x28\xb5\x2f\xfd junk", "not a whole zstd file"),
        (b"BZh9 junk", "not a whole bzip2 file"),
        (b"\xfd7zXZ\x00 junk", "not a whole xz file"),
        (gzip.compress(b"no tar at all" * 100, mtime=0), "not a whole tar"),
        (gzip.compress(b"x" * 99_999, mtime=0)[:80], "not a whole gzip file"),
        (b"no tar at all" * 100, "not a whole tar"),
    ],
)
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "x.tar").write_bytes(content)

    with client_to() as client, pytest.raises(ImageFault) as refused:
        copied(client, [f"docker-archive:{tmp_path / 'x.tar'}"], f"oci:{tmp_path / 'y'}")

    assert why in refused.value.message


def test_an_archive_with_a_name_twice_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for content in (b"[]", b"[1]"):
            member = tarfile.TarInfo("manifest.json")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))

    with client_to() as client, pytest.raises(ImageFault, match="twice in it"):
        copied(client, [f"docker-archive:{tmp_path / 'x.tar'}"], f"oci:{tmp_path / 'y'}")


def test_a_layout_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_bytes(canonical({"schemaVersion": 2, "manifests": []}))
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion": "9.0.0"}')

    with client_to() as client, pytest.raises(ImageFault, match="version 9"):
        copied(client, [f"oci:{tmp_path}"], f"oci:{tmp_path / 'y'}")
