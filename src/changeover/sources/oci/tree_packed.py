"""Compressed archives: nothing can be found in them without unpacking all, so that is done once."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from changeover.sources.oci.fault import Corrupt, ImageFault, NoSpace, Unsupported
from changeover.sources.oci.wire import BUFFER

_SIGNS = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
}
_OPENERS: dict[str, Callable[[IO[bytes]], Any]] = {
    "gzip": lambda file: gzip.GzipFile(fileobj=file, mode="rb"),
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}
_BROKEN = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


def compression(head: bytes) -> str:
    """Return what a file is compressed with, by its first six bytes; empty for nothing known."""
    return next((kind for sign, kind in _SIGNS.items() if head.startswith(sign)), "")


def unpacked(descriptor: int, kind: str, place: str) -> int:
    """Unpack an open file, which is closed, into a temporary one without a name; return that one.

    Raises `Corrupt`, `NoSpace`, and `Unsupported` where the program for it is not installed.
    """
    with os.fdopen(descriptor, "rb") as packed, tempfile.TemporaryFile() as out:
        try:
            with _stream(packed, kind, place) as stream:
                shutil.copyfileobj(stream, out, BUFFER)
            out.flush()
        except _BROKEN as e:
            raise Corrupt(f"{place}: not a whole {kind} file: {e}", "fetch it again") from None
        except OSError as e:
            raise _translated(e, place, kind) from None
        return os.dup(out.fileno())


@contextmanager
def _stream(packed: IO[bytes], kind: str, place: str) -> Iterator[IO[bytes]]:
    if kind == "zstd":
        with _by_program(packed, place) as stream:
            yield stream
    else:
        with _OPENERS[kind](packed) as stream:
            yield stream


@contextmanager
def _by_program(packed: IO[bytes], place: str) -> Iterator[IO[bytes]]:
    # Python before 3.14 knows no zstd; wherever images are packed with it there is the program.
    if shutil.which("zstd") is None:
        raise Unsupported(f"{place}: compressed with zstd, which is not installed", "install zstd")
    with subprocess.Popen(
        ["zstd", "-dc"], stdin=packed, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        if program.stdout is None or program.stderr is None:
            raise AssertionError
        try:
            yield program.stdout
            said = program.stderr.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        except BaseException:
            program.kill()
            raise
    if program.returncode:
        raise EOFError(said or "zstd failed")


def _translated(fault: OSError, place: str, kind: str) -> ImageFault:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(
            f"{place}: no room to unpack it in {tempfile.gettempdir()}",
            "make room, or name another folder: TMPDIR=...",
        )
    return Corrupt(f"{place}: not a whole {kind} file: {fault}", "fetch it again")
