"""Registries as an instance describes them: credentials and how they are reached."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from changeover.sources.oci.credential import Credential
from changeover.sources.oci.network import Network


class Described(Protocol):
    """What is said of a registry."""

    @property
    def user(self) -> str:
        """Who to log in as."""

    @property
    def password(self) -> str:
        """Of that user."""

    @property
    def token(self) -> str:
        """An identity token instead."""

    @property
    def plain_http(self) -> bool:
        """Whether it is spoken to without TLS."""

    @property
    def ca(self) -> str:
        """A file of certificates to trust."""


def given_credentials(registries: Mapping[str, Described]) -> dict[str, Credential]:
    """Return the credentials of those that have any."""
    return {
        place: Credential(said.user, said.password, said.token)
        for place, said in registries.items()
        if said.password or said.token
    }


def reached(
    registries: Mapping[str, Described],
    *,
    plain_http: Iterable[str] = (),
    authorities: Iterable[Path] = (),
    cert_dirs: Iterable[Path] = (),
    mirrors: Mapping[str, str] | None = None,
) -> Network:
    """Return how registries are reached; what is said here is added to what the instance says."""
    plain = {place.partition("/")[0] for place, said in registries.items() if said.plain_http}
    own = {p.partition("/")[0]: Path(said.ca) for p, said in registries.items() if said.ca}
    return Network(
        plain_http=frozenset(plain.union(plain_http)),
        cert_dirs=tuple(cert_dirs),
        authorities=tuple(authorities),
        own_authorities=own,
        mirrors=mirrors or {},
        environ=dict(os.environ),
    )
