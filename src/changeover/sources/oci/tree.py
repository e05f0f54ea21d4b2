"""Files in a folder, read in place by any number of threads; `tree_tar` reads those in a tar."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Protocol

from changeover.sources.oci.fault import ImageFault, Missing, Unsupported


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
