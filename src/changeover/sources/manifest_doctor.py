"""What people write for `changeover doctor`: the parts a platform is made of, and where they are.

Every text may be a template; a number may be written as a template too.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from changeover.sources.checked import Written
from changeover.sources.manifest import TargetField
from changeover.sources.when import When
from changeover.sources.words import Name

Number = int | str


def _words(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Texts = Annotated[list[str], BeforeValidator(_words)]


class PartWritten(Written):
    """A part of the platform on some hosts."""

    on: TargetField | None = None
    """Which hosts; all unless it says otherwise."""
    when: When | None = None
    """A condition that must hold on the host."""


class SupervisorWritten(PartWritten):
    """The supervisord that runs programs."""

    config: str = ""
    """Its configuration file, where it is not the system's."""
    unit: str = "supervisor.service"
    """The systemd unit it runs as."""
    log: str = "/var/log/supervisor/supervisord.log"
    """Where it tells what it starts and what ended."""


class ProgramWritten(PartWritten):
    """A program that must run."""

    name: str
    """What supervisor calls it, or the systemd unit (`shop.service`)."""
    port: Number = 0
    """The port of 127.0.0.1 it must answer at; 0 for none."""
    proxied: bool = True
    """Whether nginx must send requests to its port."""
    set_in: Texts = Field(default_factory=list)
    """Files in which its port is set."""
    log: str = ""
    """Where it writes what goes wrong."""


class NginxWritten(PartWritten):
    """The web server in front."""

    program: str = "nginx"
    """The program, or its path."""
    config: str = ""
    """Its main configuration file, where it is not the system's."""
    prefix: str = ""
    """The folder relative paths start from, where it is not the built-in one."""
    unit: str = "nginx.service"
    """The systemd unit it runs as."""
    spare_ports: list[Number] = Field(default_factory=list)
    """Ports requests may be sent to although nothing answers there now."""


class DatabaseWritten(PartWritten):
    """A PostgreSQL database."""

    name: str
    """What people call it."""
    url: str
    """Where it is, and as whom one asks."""
    log: str = ""
    """The server's log, where it is on the same host."""
    settings: str = ""
    """A dotenv file in which the application has the URL for itself."""
    key: str = ""
    """The setting in that file."""


class SchemaWritten(PartWritten):
    """A database schema that must fit the code."""

    name: str = "schema"
    """What people call it."""
    database: str
    """The URL of the database."""
    applied: str
    """SQL that gives the revision the schema is at."""
    folder: str
    """Where the code in service is."""
    known: list[str]
    """A command, run there, that prints the revisions the code knows, the newest first."""
    pattern: str
    """A regular expression whose group is the revision in a line of that."""
    next: str = ""
    """Where code that was about to come is, if a run stopped half-way."""
    files: str = ""
    """The folder of migrations inside the code: what a commit added there came with it."""
    user: str = ""
    """As whom to run the command."""


class CheckoutWritten(PartWritten):
    """A git checkout whose commit is what is deployed."""

    folder: str
    """Where it is."""


class CertificateWritten(PartWritten):
    """A certificate that is served."""

    domain: str
    """The name users ask for."""
    port: Number = 443
    """Where TLS is spoken on the host."""
    file: str = ""
    """The file nginx serves it from."""
    lineage: str = ""
    """What certbot calls it; empty if certbot does not renew it."""
    folder: str = "/etc/letsencrypt"
    """The folder certbot keeps everything in."""
    warn_days: int = 21
    """Days before its end from which it is worth a word."""


class DiskWritten(PartWritten):
    """A folder that must have room."""

    path: str
    """The folder."""


class DoctorWritten(Written):
    """What `changeover doctor` looks at. Databases, disks and endpoints of the instance are looked
    at in any case."""

    params: dict[Name, Any] = Field(default_factory=dict)
    """Values that the parts share; templates see them as `params`."""
    supervisors: list[SupervisorWritten] = Field(default_factory=list)
    """The supervisords there are."""
    programs: list[ProgramWritten] = Field(default_factory=list)
    """Programs that must run."""
    nginx: list[NginxWritten] = Field(default_factory=list)
    """The web servers in front."""
    databases: list[DatabaseWritten] = Field(default_factory=list)
    """PostgreSQL databases."""
    schemas: list[SchemaWritten] = Field(default_factory=list)
    """Schemas that must fit the code."""
    checkouts: list[CheckoutWritten] = Field(default_factory=list)
    """Git checkouts whose commits are in service."""
    certificates: list[CertificateWritten] = Field(default_factory=list)
    """Certificates that are served."""
    disks: list[DiskWritten] = Field(default_factory=list)
    """Folders that must have room."""
