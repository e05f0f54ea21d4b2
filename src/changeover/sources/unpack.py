"""The files of a packed release, written to a folder: nothing outside, no links, no surprises."""

from __future__ import annotations

import os
import secrets
import shutil
import unicodedata
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import IO

from changeover.errors import InvalidRelease
from changeover.sources.bundle import LARGEST, MOST_FILES
from changeover.sources.oci.fault import ImageFault
from changeover.sources.oci.media import Descriptor
from changeover.sources.oci.medium import Source
from changeover.sources.oci.passage import Passage
from changeover.sources.oci.patience import Budget
from changeover.sources.shipped import FILE, MODE, TITLE, Shipment

MOST_BYTES = 1 << 30
LONGEST = 1024
_BAD_PARTS = ("", ".", "..")


def unpack(source: Source, name: str, shipment: Shipment, folder: Path, budget: Budget) -> None:
    """Write the files of a release to a folder, which appears whole or not at all.

    Raises `InvalidRelease` for paths no release may have, `ImageFault` for bytes that are missing
    or altered.
    """
    files = checked_files(source, name, shipment)
    staging = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}.partial")
    try:
        staging.mkdir(parents=True)
        for layer in files:
            _write(source, name, layer, staging, budget)
        _put_in_place(staging, folder)
    except OSError as e:
        raise ImageFault(f"{folder}: {e.strerror}", "check the disk and your rights") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def checked_files(source: Source, name: str, shipment: Shipment) -> Sequence[Descriptor]:
    """Return the files of a release after a look at all their names and sizes."""
    manifest = source.manifest(name, shipment.release.digest)
    files = [d for d in manifest.blobs if d.media_type == FILE]
    where = f"{shipment.product} {shipment.version}"
    if len(files) > MOST_FILES:
        raise InvalidRelease(f"{where}: {len(files)} files, more than {MOST_FILES}", _REFUSED)
    if sum(f.size for f in files) > MOST_BYTES or any(f.size > LARGEST for f in files):
        raise InvalidRelease(f"{where}: more bytes than a release may have", _REFUSED)
    paths = [f.annotations.get(TITLE, "") for f in files]
    for path in paths:
        _check_path(path, where)
    _check_collisions(paths, where)
    return files


def _check_path(path: str, where: str) -> None:
    parts = path.split("/")
    strange = any(not c.isprintable() or c in "\\:" for c in path)
    if strange or _too_long(parts) or any(p in _BAD_PARTS or p != p.strip() for p in parts):
        raise InvalidRelease(f"{where}: {path[:200]!r}: not a path a release may have", _REFUSED)


def _too_long(parts: Sequence[str]) -> bool:
    lengths = [len(p.encode()) for p in parts]
    return sum(lengths) + len(parts) > LONGEST or max(lengths) > 255


def _check_collisions(paths: Sequence[str], where: str) -> None:
    """Refuse what would be one file on a disk that folds case or normalizes names."""
    spelled: dict[str, str] = {}
    files: set[str] = set()
    for path in paths:
        parts = path.split("/")
        for length in range(1, len(parts)):
            above = "/".join(parts[:length])
            if spelled.setdefault(_folded(above), above) != above or _folded(above) in files:
                raise _collision(spelled[_folded(above)], path, where)
        if _folded(path) in spelled:
            raise _collision(spelled[_folded(path)], path, where)
        spelled[_folded(path)] = path
        files.add(_folded(path))


def _collision(one: str, other: str, where: str) -> InvalidRelease:
    if one == other:
        return InvalidRelease(f"{where}: {one!r} is in it twice", _REFUSED)
    return InvalidRelease(f"{where}: {one!r} and {other!r} collide", _REFUSED)


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _write(source: Source, name: str, file: Descriptor, staging: Path, budget: Budget) -> None:
    path = file.annotations[TITLE]
    target = staging / path
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o755 if file.annotations.get(MODE) == "0755" else 0o644
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    passage = Passage(file, partial(source.open, name, file), budget, where=path)
    descriptor = os.open(target, flags, mode)
    try:
        with os.fdopen(descriptor, "wb") as out:
            passage.pour(lambda view: _put(out, view), file.size)
    finally:
        passage.close()


def _put(out: IO[bytes], view: memoryview) -> None:
    out.write(view)


def _put_in_place(staging: Path, folder: Path) -> None:
    """Swap an older unpacking of the release out; a folder that is something else stays."""
    if folder.exists():
        if not (folder / "release.yaml").is_file():
            raise InvalidRelease(f"{folder}: is there and is no release", "move it out of the way")
        old = staging.with_name(staging.name + ".old")
        folder.rename(old)
        staging.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging.rename(folder)


_REFUSED = "nothing was written; ask the vendor for another bundle"
