"""What there should be on one host, as the release tells it for this instance."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from changeover.errors import InvalidRelease


@dataclass(frozen=True)
class Supervisor:
    """The supervisord that runs programs."""

    config: str = ""
    unit: str = "supervisor.service"
    log: str = "/var/log/supervisor/supervisord.log"
    presumed: bool = False


@dataclass(frozen=True)
class Program:
    """A program that must run."""

    name: str
    port: int = 0
    proxied: bool = True
    set_in: tuple[str, ...] = ()
    log: str = ""
    presumed: bool = False
    """Whether only steps of a release speak of it: what is not installed then is no fault."""

    @property
    def is_unit(self) -> bool:
        """Whether systemd runs it, not supervisor."""
        return self.name.endswith(".service")


@dataclass(frozen=True)
class Nginx:
    """The web server in front."""

    program: str = "nginx"
    config: str = ""
    prefix: str = ""
    unit: str = "nginx.service"
    spare_ports: tuple[int, ...] = ()
    presumed: bool = False


@dataclass(frozen=True)
class Database:
    """A PostgreSQL database."""

    name: str
    url: str = field(repr=False)
    log: str = ""
    settings: str = ""
    key: str = ""


@dataclass(frozen=True)
class Schema:
    """A schema that must fit the code."""

    database: str = field(repr=False)
    applied: str
    folder: str
    known: tuple[str, ...]
    pattern: str
    name: str = "schema"
    next: str = ""
    files: str = ""
    user: str = ""


@dataclass(frozen=True)
class Checkout:
    """A checkout whose commit is deployed."""

    folder: str


@dataclass(frozen=True)
class Certificate:
    """A certificate that is served."""

    domain: str
    port: int = 443
    file: str = ""
    lineage: str = ""
    folder: str = "/etc/letsencrypt"
    warn_days: int = 21


@dataclass(frozen=True)
class Disk:
    """A folder that must have room."""

    path: str


@dataclass(frozen=True)
class Address:
    """An address users ask, and what the operator's machine got there."""

    name: str
    url: str
    expect: int = 200
    contains: str = ""
    outside: str = ""
    """Why the answer there is not as expected; empty if it is."""
    resolved: tuple[str, ...] = ()
    """What the name in the URL stands for there; empty where it stands for nothing."""
    pinned: bool = False
    """Whether the instance says what to connect to, whatever the name stands for."""


@dataclass(frozen=True)
class Clock:
    """The time of the operator's machine, compared with the host's."""

    now: float = 0.0
    """Seconds since the epoch, half-way through the questions."""


KINDS: Mapping[str, type[Any]] = {
    "supervisors": Supervisor,
    "programs": Program,
    "nginx": Nginx,
    "databases": Database,
    "schemas": Schema,
    "checkouts": Checkout,
    "certificates": Certificate,
    "disks": Disk,
}
"""The word of a release -> the part."""


@dataclass(frozen=True)
class Body:
    """All parts of one host."""

    host: str
    supervisors: tuple[Supervisor, ...] = ()
    programs: tuple[Program, ...] = ()
    nginx: tuple[Nginx, ...] = ()
    databases: tuple[Database, ...] = ()
    schemas: tuple[Schema, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    disks: tuple[Disk, ...] = ()
    addresses: tuple[Address, ...] = ()
    clock: Clock = Clock()

    @cached_property
    def things(self) -> tuple[str, ...]:
        """What is looked at, for people."""
        named: Iterable[str] = (
            *(f"disk {d.path}" for d in self.disks),
            "clock",
            *("supervisor" for _ in self.supervisors),
            *(f"database {d.name}" for d in self.databases),
            *(f"{s.name}" for s in self.schemas),
            *(f"program {p.name}" for p in self.programs),
            *("nginx" for _ in self.nginx),
            *(f"certificate {c.domain}" for c in self.certificates),
        )
        return tuple(named)


def part(kind: str, given: Mapping[str, Any]) -> Any:
    """Make one part of rendered values; raise `InvalidRelease` where a number is none."""
    found = KINDS[kind]
    hints = typing.get_type_hints(found)
    known = {f.name for f in fields(found)}
    values = {k: _value(kind, k, v, hints[k]) for k, v in given.items() if k in known}
    return found(**values)


def _value(kind: str, name: str, value: Any, hint: Any) -> Any:
    try:
        if hint is int:
            return int(value)
        if hint == tuple[int, ...]:
            return tuple(int(v) for v in value)
    except ValueError:
        raise InvalidRelease(
            f"doctor: {kind}: {name}: {value!r} is no number", "correct the template"
        ) from None
    return tuple(map(str, value)) if isinstance(value, list) else value
