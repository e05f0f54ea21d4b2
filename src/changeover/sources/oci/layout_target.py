"""A layout folder as a target: every blob is hashed, synced and then renamed into place."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from changeover.sources.oci.fault import ImageFault, Missing, NoSpace
from changeover.sources.oci.layout import LAYOUT_FILE, Layout, blob_path, joined, name_of, named
from changeover.sources.oci.media import REF_NAME, Descriptor, Manifest, index_body, parse_manifest
from changeover.sources.oci.medium import Outcome
from changeover.sources.oci.passage import Passage
from changeover.sources.oci.reference import is_digest
from changeover.sources.oci.tree import FolderTree


class LayoutFolder(Layout):
    """A layout that is written to; several runs may do so at once."""

    pooled = True

    def __init__(self, folder: Path) -> None:
        super().__init__(FolderTree(folder))
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder a layout, and remove what killed runs left half written."""
        try:
            (self.folder / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
            with self._locked():
                if not (self.folder / "index.json").exists():
                    _replace(self.folder / "index.json", index_body(()))
                if not (self.folder / "oci-layout").exists():
                    _replace(self.folder / "oci-layout", LAYOUT_FILE.encode())
        except OSError as e:
            raise _translated(e, self.folder) from None
        for file in self.folder.glob("blobs/*/.*.partial"):
            _remove_if_dead(file)

    def resolve(self, name: str, wanted: str) -> str | None:
        """Return the digest a name or digest has here; none where nothing is here yet."""
        if not (self.folder / "index.json").is_file():
            return None
        return super().resolve(name, wanted)

    def put_blob(self, name: str, blob: Passage, nearby: tuple[str, ...]) -> Outcome:
        """Write a blob; it gets its name only when it is whole, right and on the disk."""
        final = self.folder / blob_path(blob.blob.digest)
        final.parent.mkdir(parents=True, exist_ok=True)
        partial = final.with_name(f".{final.name}-{os.urandom(4).hex()}.partial")
        try:
            with _opened(partial) as descriptor:
                blob.move_to(0)
                if blob.left:
                    blob.pour(lambda view: _write(descriptor, view), blob.left)
                os.fsync(descriptor)
                partial.replace(final)
        except OSError as e:
            raise _translated(e, final) from None
        finally:
            blob.close()
            partial.unlink(missing_ok=True)
        return Outcome.SENT

    def put_manifest(self, name: str, wanted: str, manifest: Manifest) -> None:
        """Write a manifest, and enter it into the index where it has a tag or a subject."""
        file = self.folder / blob_path(manifest.digest)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            _replace(file, manifest.body)
            if not is_digest(wanted):
                self._enter(manifest, joined(name, wanted))
        except OSError as e:
            raise _translated(e, self.folder) from None

    def attach(self, name: str, manifest: Manifest) -> None:
        """Enter a manifest without a name into the index, so that its subject leads to it."""
        known = any(d.digest == manifest.digest for d in self.index().children)
        if not known:
            self._enter(manifest, "")

    def delete_blob(self, name: str, digest: str) -> bool:
        """Remove a blob."""
        (self.folder / blob_path(digest)).unlink(missing_ok=True)
        return True

    def delete_tag(self, name: str, tag: str) -> bool:
        """Take a name out of the index; the blobs stay for whoever shares them."""
        self._change(joined(name, tag), None)
        return True

    def _enter(self, manifest: Manifest, called: str) -> None:
        annotations = {REF_NAME: called} if called else {}
        entry = replace(manifest.descriptor, annotations=annotations)
        if called and manifest.artifact_type.endswith("config.v1+json"):
            entry = replace(entry, artifact_type="")
        self._change(called, entry)

    def _change(self, called: str, entry: Descriptor | None) -> None:
        with self._locked():
            body = (self.folder / "index.json").read_bytes()
            index = parse_manifest(body, f"{self.place}: index.json")
            kept = [d for d in index.children if not _replaced(d, called, entry)]
            kept += [entry] if entry else []
            kept.sort(key=lambda d: (name_of(d), d.digest))
            changed = index_body(tuple(kept), index.annotations)
            if changed != body:
                _replace(self.folder / "index.json", changed)
        with self._lock:
            self._index = None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self.folder / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _opened(partial: Path) -> Iterator[int]:
    descriptor = _claimed(partial)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _claimed(partial: Path) -> int:
    """Open a new file under its lock; whoever cleans up takes one without a lock for a dead one."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    while True:
        descriptor = os.open(partial, flags, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if partial.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        os.close(descriptor)


def _replaced(old: Descriptor, called: str, entry: Descriptor | None) -> bool:
    if called:
        return name_of(old) == called
    return not named(old) and entry is not None and old.digest == entry.digest


def _write(descriptor: int, view: memoryview) -> None:
    while view:
        view = view[os.write(descriptor, view) :]


def _replace(file: Path, content: bytes) -> None:
    partial = file.with_name(f".{file.name}-{os.urandom(4).hex()}.partial")
    try:
        with _opened(partial) as descriptor:
            _write(descriptor, memoryview(content))
            os.fsync(descriptor)
            partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _remove_if_dead(file: Path) -> None:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.unlink(missing_ok=True)
    except BlockingIOError:
        pass  # its run lives
    finally:
        os.close(descriptor)


def _translated(fault: OSError, where: Path) -> ImageFault:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(f"{where}: the disk is full", "make room and run again; it goes on there")
    if fault.errno == errno.ENOENT:
        return Missing(f"{where}: {fault.strerror}", "check the path")
    return ImageFault(f"{where}: {fault.strerror}", "check the folder and your rights")
