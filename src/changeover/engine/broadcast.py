"""Send the journal to the hosts, so that another machine can go on where this one died."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from changeover.engine.journal import decode, encode, holds
from changeover.errors import ChangeoverError, InvalidInput, NotReady, Tampered
from changeover.hosts.host import Host, digest
from changeover.hosts.transport import ShellTransport
from changeover.model.events import Entry

MOST_BYTES = 3600
"""Longer lines are cut into parts: shells split longer writes, and concurrent ones would mix."""


@dataclass(frozen=True)
class Copy:
    """The journal as one host remembers it."""

    host: str
    entries: tuple[Entry, ...]


def copy_of(name: str, transport: ShellTransport) -> Copy:
    """Read a host's copy of the journal."""
    # What was damaged there is sent again: the last one counts.
    last = {entry.seq: entry for entry in entries_of(transport.journal_lines())}
    return Copy(name, tuple(last[seq] for seq in sorted(last)))


def copies_of(transports: Mapping[str, ShellTransport]) -> tuple[Copy, ...]:
    """Read every host's copy, of all at once."""
    with ThreadPoolExecutor(max(1, min(len(transports), 32))) as pool:
        return tuple(pool.map(copy_of, transports.keys(), transports.values()))


def undamaged(copy: Copy, known: Mapping[int, str]) -> Iterator[Entry]:
    """Yield what a host remembers, but for what its disk made of it since.

    `known` are hashes that were proven already: only others are computed again.
    """
    for entry in copy.entries:
        if known.get(entry.seq) == entry.hash or holds(entry):
            yield entry


class Broadcast:
    """Tells every host of every entry, at the latest with the next command it gets."""

    def __init__(self, hosts: Mapping[str, Host], transports: Mapping[str, ShellTransport]) -> None:
        self._hosts, self._transports = hosts, transports

    def __call__(self, entry: Entry) -> None:
        """Queue an entry for every host."""
        lines = list(lines_of(encode(entry)))
        for transport in self._transports.values():
            for line in lines:
                transport.announce(line)

    def catch_up(self, entries: Iterable[Entry], copies: Sequence[Copy]) -> None:
        """Queue what a killed process did not send any more: a copy must have no gaps."""
        known = {entry.seq: entry for entry in entries}
        hashes = {entry.seq: entry.hash for entry in known.values()}
        for copy in copies:
            _refuse_strangers(copy.host, {e.seq: e.hash for e in undamaged(copy, hashes)}, hashes)
        for copy in copies:
            there = {entry.seq for entry in copy.entries if known.get(entry.seq, entry) == entry}
            for entry in known.values():
                for line in lines_of(encode(entry)) if entry.seq not in there else ():
                    self._transports[copy.host].announce(line)

    def keep_plan(self, name: str, body: Any) -> None:
        """Put a plan where a takeover finds it."""
        content = json.dumps(body, ensure_ascii=False).encode()
        for host in self._hosts.values():
            folder = f"{host.state_dir}/plans"
            host.make_folder(folder, mode=0o700)
            host.write(f"{folder}/{name}.json", content, mode=0o600)

    def flush(self) -> None:
        """Send what is still queued to the hosts that can be reached."""
        for transport in self._transports.values():
            with contextlib.suppress(ChangeoverError):
                transport.flush()


def _refuse_strangers(host: str, remembered: Mapping[int, str], known: Mapping[int, str]) -> None:
    """Raise where a host remembers what another store wrote: two chains would prove nothing."""
    others = [seq for seq, found in remembered.items() if known.get(seq, found) != found]
    if others:
        raise Tampered(
            f"{host} remembers another entry {min(others)} than this machine's journal: "
            "another machine worked on this instance",
            "begin with the hosts' journal: CHANGEOVER_STATE=FOLDER changeover takeover",
        )
    missing = len(remembered.keys() - known.keys())
    if missing:
        raise NotReady(
            f"{host} remembers {missing} entries this machine's journal lacks: "
            "another machine worked on this instance",
            "fetch them first: changeover takeover",
        )


def lines_of(line: str) -> Iterator[str]:
    """Cut a line into parts that fit: `{"part": 1, "of": 3, "id": hash, "text": ...}`."""
    if len(line.encode()) <= MOST_BYTES:
        yield line
        return
    size = MOST_BYTES // 6  # a character may take six bytes once it is quoted
    parts = [line[i : i + size] for i in range(0, len(line), size)]
    name = digest(line.encode())[:12]
    for number, text in enumerate(parts, 1):
        yield json.dumps({"part": number, "of": len(parts), "id": name, "text": text})


def entries_of(lines: Iterable[str]) -> Iterator[Entry]:
    """Read entries back from a host's journal; torn and blank lines are passed over."""
    parts: dict[str, list[str]] = {}
    for line in lines:
        whole = _joined(line, parts)
        if whole:
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, InvalidInput):
                yield decode(json.loads(whole))


def _joined(line: str, parts: dict[str, list[str]]) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        found = json.loads(line)
        if "part" not in found:
            return line
        texts = parts.setdefault(found["id"], [])
        texts.append(found["text"])
        if len(texts) == found["of"]:
            return "".join(parts.pop(found["id"]))
    return ""
