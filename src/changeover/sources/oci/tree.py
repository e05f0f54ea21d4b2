"""Files in a folder or in one tar, read in place by any number of threads."""

from __future__ import annotations

import errno
import os
import tarfile
import threading
from pathlib import Path, PurePosixPath
from typing import Protocol

from changeover.sources.oci.fault import Corrupt, ImageFault, Missing, Unsupported

MOST_MEMBERS = 200_000
_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd", b"BZ": "bzip2", b"\xfd7": "xz"}


class FileStream:
    """A stretch of a file."""

    def __init__(self, descriptor: int, offset: int, end: int, *, own: bool) -> None:
        self._descriptor, self._offset, self._end, self._own = descriptor, offset, end, own

    def readinto(self, view: memoryview) -> int:
        """Fill a buffer; 0 at the end."""
        try:
            count = os.preadv(
                self._descriptor, [view[: max(0, self._end - self._offset)]], self._offset
            )
        except OSError as e:
            raise ImageFault(f"cannot be read: {e.strerror}", "check the disk") from None
        self._offset += count
        return count

    def close(self) -> None:
        """Let go of the file, where it was opened for this alone."""
        if self._own and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Tree(Protocol):
    """Files by relative path."""

    place: str

    def size(self, path: str) -> int | None:
        """Return a file's size; none where it is not."""

    def open(self, path: str, offset: int = 0) -> FileStream:
        """Open a file at an offset; raises `Missing`."""


def read_small(tree: Tree, path: str, limit: int) -> bytes:
    """Return a whole file; raises `Missing`, and `Unsupported` where it is too large."""
    size = tree.size(path)
    if size is None:
        raise Missing(f"{tree.place}: {path}: not there", "check the path")
    if size > limit:
        raise Unsupported(f"{tree.place}: {path}: {size} bytes, too large", "is it a layout?")
    buffer = memoryview(bytearray(size))
    stream = tree.open(path)
    done = 0
    try:
        while done < size and (count := stream.readinto(buffer[done:])):
            done += count
    finally:
        stream.close()
    return bytes(buffer[:done])


class FolderTree:
    """A folder; links are not followed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.place = folder, str(folder)

    def size(self, path: str) -> int | None:
        """Return a file's size; none where it is not."""
        file = self.folder / path
        return file.stat().st_size if file.is_file() else None

    def open(self, path: str, offset: int = 0) -> FileStream:
        """Open a file at an offset; raises `Missing`."""
        try:
            descriptor = os.open(self.folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as e:
            if e.errno in (errno.ENOENT, errno.ENOTDIR):
                raise Missing(f"{self.place}: {path}: not there", "check the path") from None
            raise ImageFault(f"{self.place}: {path}: {e.strerror}", "check the file") from None
        return FileStream(descriptor, offset, os.fstat(descriptor).st_size, own=True)


class TarTree:
    """A tar that is not compressed; only its headers are read to find things."""

    def __init__(self, file: Path) -> None:
        self.file, self.place = file, str(file)
        self._lock = threading.Lock()
        self._members: dict[str, tuple[int, int]] | None = None
        self.links: dict[str, str] = {}
        """Links inside the archive, by path; older `docker save` has them between layers."""
        self._descriptor = -1

    def size(self, path: str) -> int | None:
        """Return a member's size; none where it is not."""
        found = self.members().get(path)
        return found[1] if found else None

    def open(self, path: str, offset: int = 0) -> FileStream:
        """Open a member at an offset; raises `Missing`."""
        found = self.members().get(path)
        if found is None:
            raise Missing(f"{self.place}: {path}: not there", "check the archive")
        start, size = found
        return FileStream(self._descriptor, start + offset, start + size, own=False)

    def members(self) -> dict[str, tuple[int, int]]:
        """Return offset and size of every file in it; raises `Unsupported`, `Corrupt`."""
        with self._lock:
            if self._members is None:
                self._members = self._listed()
            return self._members

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _listed(self) -> dict[str, tuple[int, int]]:
        try:
            self._descriptor = os.open(self.file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as e:
            raise Missing(f"{self.place}: {e.strerror}", "check the path") from None
        packed = _PACKED.get(os.pread(self._descriptor, 2, 0))
        if packed:
            raise Unsupported(
                f"{self.place}: compressed with {packed}: nothing can be found in it without "
                "unpacking all of it",
                "unpack it first, for example with gunzip",
            )
        try:
            return self._read()
        except (tarfile.TarError, OSError, ValueError, EOFError) as e:
            raise Corrupt(f"{self.place}: not a whole tar: {e}", "fetch it again") from None

    def _read(self) -> dict[str, tuple[int, int]]:
        end = os.fstat(self._descriptor).st_size
        members: dict[str, tuple[int, int]] = {}
        with tarfile.open(self.file, "r:") as archive:
            for count, member in enumerate(archive):
                if count >= MOST_MEMBERS:
                    raise Unsupported(f"{self.place}: more than {MOST_MEMBERS} files in it", "")
                path = str(PurePosixPath(member.name))
                if member.issym() or member.islnk():
                    self.links[path] = member.linkname
                if not member.isreg() or member.sparse is not None:
                    continue
                if path in members:
                    raise Corrupt(f"{self.place}: {path}: twice in it", "fetch it again")
                if member.offset_data + member.size > end:
                    raise Corrupt(f"{self.place}: {path}: cut off", "fetch it again")
                members[path] = (member.offset_data, member.size)
        return members
