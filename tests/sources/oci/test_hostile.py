"""Archives made to do harm: refused in words, and nothing happens."""

from __future__ import annotations

import gzip
import io
import resource
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sources.oci.test_kill import environ

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")
MIB = 1 << 20


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
