"""Bundles and archives made to do harm, or damaged: refused in words, and nothing happens."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import random
import resource
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.sources.oci.command import called, release
from tests.sources.oci.setting import client_to, quick
from tests.sources.oci.test_kill import environ

from changeover.errors import ChangeoverError
from changeover.sources.hub import bring_in, find, parse_hub
from changeover.sources.oci.copier import Options
from changeover.sources.oci.media import (
    OCI_EMPTY,
    OCI_INDEX,
    OCI_MANIFEST,
    REF_NAME,
    Descriptor,
    digest_of,
)
from changeover.sources.shipped import ARTIFACT, FILE, PRODUCT, TITLE, VERSION
from changeover.sources.signature import read_public

MIB = 1 << 20


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "standing").mkdir()
    monkeypatch.chdir(tmp_path / "standing")


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


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


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


def member(name: str, content: bytes = b"x", **more: object) -> tuple[tarfile.TarInfo, bytes]:
    made = tarfile.TarInfo(name)
    made.size = len(content)
    for key, value in more.items():
        setattr(made, key, value)
    return made, content


def with_index(content: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    mark = b'{"imageLayoutVersion":"1.0.0"}'
    return [member("oci-layout", mark), member("index.json", content)]


INDEX = b'{"schemaVersion":2,"manifests":[]}'
SHA = "sha256:" + "a" * 64
POINTING = (
    b'{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json",'
    b'"digest":"%s","size":9}]}'
)
HOSTILE: dict[str, list[tuple[tarfile.TarInfo, bytes]]] = {
    "path upward": [member("../../out"), *with_index(INDEX)],
    "absolute path": [member("/tmp/out-of-it"), *with_index(INDEX)],  # noqa: S108 - must not appear
    "link outward": [member("index.json", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd")],
    "hard link outward": [member("oci-layout", b"", type=tarfile.LNKTYPE, linkname="/etc/passwd")],
    "link to itself": [member("index.json", b"", type=tarfile.SYMTYPE, linkname="index.json")],
    "device": [member("index.json", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=5)],
    "pipe": [member("index.json", b"", type=tarfile.FIFOTYPE)],
    "twice": [*with_index(INDEX), member("index.json", INDEX)],
    "twice, spelled differently": [*with_index(INDEX), member("./index.json", INDEX)],
    "digest with a path": with_index(POINTING % b"sha256:../../../../etc/passwd"),
    "digest of another kind": with_index(POINTING % b"md5:d41d8cd98f00b204e9800998ecf8427e"),
    "nothing behind it": with_index(POINTING % SHA.encode()),
    "negative size": with_index(POINTING.replace(b":9}", b":-9}") % SHA.encode()),
    "enormous size": with_index(POINTING.replace(b":9}", b":%d}" % (1 << 60)) % SHA.encode()),
    "deep nesting": with_index(b'{"manifests":' + b"[" * 100_000),
    "large numbers": with_index(b'{"schemaVersion":2,"manifests":' + b"9" * 100_000 + b"}"),
    "not UTF-8": with_index(b"\xff\xfe{}"),
    "an index of 5 MiB": with_index(b'{"x":"' + b"x" * 5 * MIB + b'"}'),
    "other version": [member("oci-layout", b'{"imageLayoutVersion":"9"}'), member("index.json")],
}


def archive(members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        for info, content in members:
            made.addfile(info, io.BytesIO(content))
    return out.getvalue()


def sized(name: str, octal: bytes) -> bytes:
    """Return an archive whose header lies about a size."""
    whole = bytearray(archive([member(name)]))
    whole[124 : 124 + len(octal)] = octal
    whole[148:156] = b" " * 8
    whole[148:156] = b"%06o\0 " % sum(whole[:512])
    return bytes(whole)


def tiny_files(count: int) -> bytes:
    """Return an archive of empty files; headers by hand, because there are so many."""
    head, tail = tarfile.TarInfo("f000000").tobuf()[:512][7:148], tarfile.TarInfo().tobuf()[156:512]
    known = sum(head) + sum(tail) + 8 * ord(" ")
    names = (b"f%06d" % n for n in range(count))
    return b"".join(n + head + b"%06o\0 " % (known + sum(n)) + tail for n in names) + bytes(1024)


BYTES: dict[str, Callable[[], bytes]] = {
    **{name: (lambda m=members: archive(m)) for name, members in HOSTILE.items()},  # type: ignore[misc]  # the default binds
    "a size beyond the end": lambda: sized("index.json", b"77777777777\0"),
    "a negative size": lambda: sized("index.json", b"\xff" * 12),
    "an endless name": lambda: archive([member("a/" * 50_000 + "b")]),
    "a hundred thousand tiny files": lambda: tiny_files(100_000),
    "a bomb": lambda: gzip.compress(bytes(64 * MIB), 1),
    "zeros": lambda: bytes(10 * 512),
    "half a header": lambda: archive([member("index.json")])[:300],
    "compressed twice": lambda: gzip.compress(gzip.compress(archive(with_index(INDEX)))),
}


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archives")
    for number, make in enumerate(BYTES.values()):
        (folder / f"{number}.tar").write_bytes(make())
    return folder


@pytest.mark.parametrize("kind", ["release", "oci-archive", "docker-archive"])
def test_hostile_archives_are_refused_in_words_within_a_second_or_so(
    archives: Path, tmp_path: Path, kind: str
) -> None:
    before = set(tmp_path.rglob("*"))
    script = SCRIPT % {"call": "release" if kind == "release" else "images"}

    done = subprocess.run(
        [sys.executable, "-c", script, kind, str(archives), str(tmp_path / "out")],
        env=environ(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (512 * MIB, 512 * MIB)),
    )

    assert done.returncode == 0, done.stderr[-2000:]
    words = [x for x in done.stdout.splitlines() if x.startswith(VERDICTS)]
    assert len(words) == len(BYTES)
    assert all(line.startswith("refused: ") for line in words), words
    fresh = {p for p in tmp_path.rglob("*") if p.is_file()} - before
    # The layout that was to be written to is there, and empty.
    assert {p.name for p in fresh} <= {".lock", "index.json", "oci-layout"}
    assert not Path("/tmp/out-of-it").exists()  # noqa: S108 - must not be there


VERDICTS = ("refused: ", "slowly refused: ", "taken: ")
SCRIPT = """
import sys, time
from pathlib import Path
from changeover.errors import ChangeoverError
from changeover.cli.images.group import group as images
from changeover.cli.release.bundle import commands
import click
release = click.Group("release", commands=list(commands))
kind, folder, out = sys.argv[1:]
for file in sorted(Path(folder).iterdir(), key=lambda p: int(p.stem)):
    words = {
        "release": ["import", str(file), "--hub", out, "--unsigned"],
        "oci-archive": ["copy", f"oci-archive:{file}", f"oci:{out}"],
        "docker-archive": ["copy", f"docker-archive:{file}", f"oci:{out}"],
    }[kind]
    began = time.process_time()
    try:
        code = %(call)s(words, standalone_mode=False)
        print("taken:" if not code else f"refused: {code}", file.name)
    except ChangeoverError as error:
        print("refused:" if time.process_time() - began < 8 else "slowly refused:", error)
"""


def made_up(layout: Path, product: str, version: str, path: str = "release.yaml") -> None:
    """Write a layout with a whole but unsigned release that is called so."""
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(content: bytes) -> str:
        digest = digest_of(content)
        (blobs / digest.partition(":")[2]).write_bytes(content)
        return digest

    text = b"format: 1\nproduct: shop\nversion: 2.0.0\nsteps: []\n"
    file = {"mediaType": FILE, "digest": put(text), "size": len(text)}
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": ARTIFACT,
            "config": Descriptor(OCI_EMPTY, put(b"{}"), 2).document(),
            "layers": [{**file, "annotations": {TITLE: path}}],
        }
    ).encode()
    child = Descriptor(OCI_MANIFEST, put(manifest), len(manifest), artifact_type=ARTIFACT)
    notes = {PRODUCT: product, VERSION: version}
    document = {"schemaVersion": 2, "manifests": [child.document()], "annotations": notes}
    root = json.dumps(document).encode()
    entry = Descriptor(OCI_INDEX, put(root), len(root), annotations={REF_NAME: "shop:2.0.0"})
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    index = {"schemaVersion": 2, "manifests": [entry.document()]}
    (layout / "index.json").write_text(json.dumps(index))


def brought(layout: Path, hub: Path, product: str = "") -> None:
    """Bring a release in although nobody signed it."""
    with client_to() as client:
        found = find(parse_hub(f"oci:{layout}"), client, product, "", None)
        bring_in(found, parse_hub(str(hub)), client, Options(jobs=1, budget=quick()))


@pytest.mark.parametrize(
    ("product", "version"),
    [
        ("../../outside", "2.0.0"),
        ("shop", "../../outside"),
        ("shop", ".."),
        ("/outside", "2.0.0"),
        ("shop/x", "2.0.0"),
        ("shop\x00", "2.0.0"),
        (".bundles", "2.0.0"),
        ("shop", "2.0.0\n"),
        ("shop", "\ud800"),
    ],
)
def test_no_release_is_called_like_a_path(tmp_path: Path, product: str, version: str) -> None:
    hub = tmp_path / "a" / "b" / "hub"
    hub.mkdir(parents=True)
    made_up(tmp_path / "x", product, version)

    for called_as in ("", product):
        with pytest.raises(ChangeoverError):
            brought(tmp_path / "x", hub, called_as)

    assert list(tmp_path.rglob("release.yaml")) == []


@pytest.mark.parametrize("path", ["\ud800", "a/\udfff/b", "x" * 300, "\U0001f600" * 300, "a\x00b"])
def test_no_file_of_a_release_has_a_name_disks_cannot_have(tmp_path: Path, path: str) -> None:
    (tmp_path / "hub").mkdir()
    made_up(tmp_path / "x", "shop", "2.0.0", path)

    with pytest.raises(ChangeoverError):
        brought(tmp_path / "x", tmp_path / "hub")

    assert not (tmp_path / "hub" / "shop").exists()


def test_a_made_up_release_is_whole_but_for_its_signature(tmp_path: Path) -> None:
    """What the tests above change is all that is wrong there."""
    (tmp_path / "hub").mkdir()
    made_up(tmp_path / "x", "shop", "2.0.0")

    brought(tmp_path / "x", tmp_path / "hub")

    assert (tmp_path / "hub" / "shop" / "2.0.0" / "release.yaml").is_file()
