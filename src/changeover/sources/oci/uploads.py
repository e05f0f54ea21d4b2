"""Upload sessions that are open, on disk: what a killed run leaves, the next one cancels."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Session:
    """An upload a registry waits for."""

    host: str
    name: str
    url: str


def uploads_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder sessions are recorded in, by the XDG rules."""
    home = Path(environ.get("HOME") or "~").expanduser()
    return Path(environ.get("XDG_STATE_HOME") or home / ".local/state") / "changeover" / "uploads"


class UploadLog:
    """Open sessions of this run, in a file that is locked as long as the run lives."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file: IO[str] | None = None
        self._path = Path()
        self._open: set[str] = set()
        self._lock = threading.Lock()

    def opened(self, session: Session) -> None:
        """Record a session before anything is sent to it."""
        with self._lock:
            self._open.add(session.url)
            self._write({"host": session.host, "name": session.name, "url": session.url})

    def closed(self, url: str) -> None:
        """Forget a session that is finished or cancelled."""
        with self._lock:
            self._open.discard(url)
            self._write({"closed": url})

    def end(self) -> None:
        """Remove the file, unless sessions are still open."""
        with self._lock:
            if self._file is None:
                return
            if not self._open:
                self._path.unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def abandoned(self, host: str) -> Iterator[Session]:
        """Yield the sessions at a host that dead runs left; each is forgotten once yielded."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob("*.jsonl")):
            yield from _taken_over(path, host)

    def _write(self, line: dict[str, str]) -> None:
        if self._folder is None:
            return
        if self._file is None:
            self._file = self._created(self._folder)
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def _created(self, folder: Path) -> IO[str]:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / f"{os.getpid()}-{os.urandom(4).hex()}.jsonl"
        descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return os.fdopen(descriptor, "a")


def _taken_over(path: Path, host: str) -> Iterator[Session]:
    try:
        file = path.open("r+")
    except OSError:
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # its run lives
        left = _read(file)
        yield from (s for s in left if s.host == host)
        others = [s for s in left if s.host != host]
        if not others:
            path.unlink(missing_ok=True)
            return
        file.seek(0)
        file.truncate()
        for s in others:
            file.write(json.dumps({"host": s.host, "name": s.name, "url": s.url}) + "\n")


def _read(file: IO[str]) -> list[Session]:
    found: dict[str, Session] = {}
    for text in file:
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            continue  # the line the run was killed in
        if not isinstance(line, dict):
            continue
        if "closed" in line:
            found.pop(str(line["closed"]), None)
        elif {"host", "name", "url"} <= line.keys():
            found[str(line["url"])] = Session(*(str(line[key]) for key in ("host", "name", "url")))
    return list(found.values())
