"""An instance: one installation of a product, as its operator describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from changeover.model.findings import Finding
from changeover.model.release import Step

FETCHED = ("docker://", "oci:")
"""How hubs are written that are no folders of releases."""


@dataclass(frozen=True)
class HostSpec:
    """A machine of the instance and how to reach it."""

    name: str
    transport: str = "ssh"
    """`ssh` or `local`."""
    address: str = ""
    """What to connect to; empty means the name, as `ssh` would resolve it."""
    port: int | None = None
    user: str = ""
    roles: tuple[str, ...] = ()
    become: str = ""
    """`sudo` to work as root through sudo; empty to work as the user that connects."""
    become_password: str = ""
    """Name of the secret that holds the sudo password; empty for NOPASSWD."""
    ssh_config: str = ""
    """A file for `ssh -F`; empty means the user's own."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Further `ssh -o` options, such as `IdentityFile` or `ProxyJump`."""
    state_dir: str = "/var/lib/changeover"
    """Where this tool keeps its journal, store and backups on the host."""
    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    """An address users depend on; the prober watches it while a run lasts."""

    name: str
    url: str
    expect: int = 200
    contains: str = ""
    ca: str = ""
    """A file of certificates to trust; empty means the system's."""
    resolve: str = ""
    """An address to connect to instead of the URL's host."""


@dataclass(frozen=True)
class SiteStep:
    """A step the operator added: `before` or `after` a phase or a step."""

    step: Step
    place: str
    """`before` or `after`."""
    anchor: str
    """A phase, or the id of a step of the release."""


@dataclass(frozen=True)
class Resource:
    """Something an instance needs from somebody: its machine, its database, a name, a client."""

    where: str = ""
    contact: str = ""
    """Whom to ask for it, and to give it back to."""
    of: str = ""
    """What it is there, such as the name of a machine or of an OpenID client."""


@dataclass(frozen=True)
class Instance:
    """One installation of a product. Secrets are held by `changeover.instances.secrets`."""

    name: str
    folder: Path
    product: str
    hosts: Mapping[str, HostSpec]
    edition: str = ""
    method: str = ""
    modules: Mapping[str, str] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """Answers to the release's inputs, remembered."""
    endpoints: tuple[Endpoint, ...] = ()
    databases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    registries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By host: `user`, `password`, `token` (templates), `plain_http`, `ca` (a path)."""
    hubs: tuple[str, ...] = ()
    """Folders (relative to the instance) where releases of the product are, and places to fetch
    them from: `docker://HOST/REPOSITORY`, `oci:FOLDER`."""
    site_steps: tuple[SiteStep, ...] = ()
    language: str = "en"
    description: str = ""
    deployed_from: str = ""
    """The branch it is meant to be deployed from."""
    resources: Mapping[str, Resource] = field(default_factory=dict)
    """By kind: `vm`, `database`, `dns`, `callbacks`, or any other word."""
    remarks: tuple[Finding, ...] = ()
    """What reading it showed that an operator should know."""
    origin: str = "instance.yaml"
    """What it was read from: `instance.yaml`, or `ansible`."""
    vault_passwords: tuple[str, ...] = ()
    """Files with the passwords of its vaults, `[ID@]PATH`: never the passwords themselves."""
    variables: tuple[str, ...] = ()
    """Names that may be given on the command line beside the release's inputs."""

    @property
    def hub_folders(self) -> list[Path]:
        """Return the hubs that plans are made from."""
        return [(self.folder / h).resolve() for h in self.hubs if not h.startswith(FETCHED)]

    @property
    def far_hubs(self) -> list[str]:
        """Return the hubs that releases are fetched from."""
        return [
            h if h.startswith("docker:") else f"oci:{self.folder / h.removeprefix('oci:')}"
            for h in self.hubs
            if h.startswith(FETCHED)
        ]

    def chosen(self, target: str) -> tuple[HostSpec, ...]:
        """Return the hosts a role, a name or `all` stands for, in the instance's order."""
        return tuple(
            h for h in self.hosts.values() if target in ("all", h.name) or target in h.roles
        )
