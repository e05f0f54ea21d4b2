"""The files of a bundle: read within its folder only, and counted in one digest."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from changeover.errors import InvalidRelease
from changeover.model.problem import suggestion

MOST_FILES = 10_000
LARGEST = 64 * 1024 * 1024
"""Bytes one file of a bundle may have; images travel beside the bundle."""

IGNORED = frozenset((".git", ".changeover", "__pycache__", ".DS_Store"))


def bundle_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the path inside the bundle of every file, sorted; raise for what must not be in one."""
    found = sorted(_walked(folder, folder))
    if len(found) > MOST_FILES:
        raise InvalidRelease(f"{folder}: more than {MOST_FILES} files", "this is not a release")
    for name in found:
        path = folder / name
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InvalidRelease(f"{path}: is not a regular file", "remove it from the release")
        if status.st_size > LARGEST:
            raise InvalidRelease(f"{path}: larger than 64 MiB", "ship large files another way")
        yield name, path


def bundle_digest(folder: Path) -> str:
    """Return one sha256 over the path and content of every file."""
    total = hashlib.sha256()
    for name, path in bundle_files(folder):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{content}  {name}\n".encode())
    return total.hexdigest()


def bundle_path(folder: Path, name: str) -> Path:
    """Return where a file of the bundle is; raise where it is missing or outside."""
    path = folder / name
    root = folder.resolve()
    try:
        real = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidRelease(f"{name!r}: cannot be a file of the release: {error}") from None
    if not name or not real.is_relative_to(root):
        raise InvalidRelease(f"{name!r}: is outside the release folder {folder}", "keep it inside")
    if not real.is_file():
        known = [n for n, _ in bundle_files(folder)]
        raise InvalidRelease(f"{folder}: has no file {name}", suggestion(name, known))
    return real


def bundle_bytes(folder: Path, name: str) -> bytes:
    """Return the content of a file of the bundle."""
    path = bundle_path(folder, name)
    if path.stat().st_size > LARGEST:
        raise InvalidRelease(f"{path}: larger than 64 MiB", "ship large files another way")
    return path.read_bytes()


def bundle_text(folder: Path, name: str) -> str:
    """Return the text of a file of the bundle."""
    try:
        return bundle_bytes(folder, name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRelease(
            f"{folder / name}: byte {error.start} is not valid UTF-8", "save it as UTF-8"
        ) from None


def _walked(folder: Path, root: Path) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError as error:
        raise InvalidRelease(f"{folder}: cannot be read: {error.strerror}") from None
    for entry in entries:
        path = Path(entry.path)
        if entry.name in IGNORED:
            continue
        if entry.is_symlink():
            _refuse_outside(path, root)
        if entry.is_dir(follow_symlinks=False):
            yield from _walked(path, root)
        else:
            yield path.relative_to(root).as_posix()


def _refuse_outside(path: Path, root: Path) -> None:
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        raise InvalidRelease(f"{path}: is a link to nothing", "remove the link") from None
    if not real.is_relative_to(root.resolve()):
        raise InvalidRelease(f"{path}: is a link that leads outside the release", "copy the file")
    if real.is_dir():
        raise InvalidRelease(f"{path}: is a link to a folder", "copy the folder, or link its files")


def bundle_words(use: str) -> tuple[str, ...]:
    """Return the parameters of an action that name a file of the bundle."""
    # The source of a copy is a file of the host; a merge calls its own what it is.
    own: dict[str, tuple[str, ...]] = {"files.copy": ("template",), "files.merge": ("reference",)}
    return own.get(use, ("template", "source"))


def is_rendered(word: str, name: str) -> bool:
    """Say whether a file that a parameter names is a template."""
    return word == "template" or (word != "source" and name.endswith(".j2"))
