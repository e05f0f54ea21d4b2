"""The registries of an instance, for commands that move images: its secrets, read when needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from changeover.cli.options import given_here
from changeover.engine.render import Scope, scope_for
from changeover.errors import ChangeoverError
from changeover.instances.folder import open_instance
from changeover.sources.oci.credential import Credential
from changeover.sources.oci.fault import Denied
from changeover.sources.oci.network import Network


class InstanceCredentials(Mapping[str, Credential]):
    """Registry -> credential; a secret is resolved when its registry is asked, not before."""

    def __init__(self, registries: Mapping[str, Mapping[str, Any]], scope: Scope) -> None:
        self._scope = scope
        self._written = {
            place: said
            for place, said in registries.items()
            if said.get("password") or said.get("token")
        }

    def __getitem__(self, place: str) -> Credential:
        try:
            said = self._scope.rendered(dict(self._written[place]), f"registries.{place}")
        except ChangeoverError as error:
            # About one registry: images of others go on.
            raise Denied(error.message, error.remedy) from None
        return Credential(said.get("user", ""), said.get("password", ""), said.get("token", ""))

    def __contains__(self, place: object) -> bool:
        return place in self._written

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


def instance_registries(folder: Path, network: Network) -> tuple[Network, InstanceCredentials]:
    """Return how an instance reaches registries, beside what the command line says."""
    instance, secrets = open_instance(folder, given=given_here())
    scope = scope_for(instance, secrets=secrets)
    said = {p.partition("/")[0]: s for p, s in instance.registries.items()}
    plain = {host for host, s in said.items() if s.get("plain_http")}
    own = {host: Path(s["ca"]) for host, s in said.items() if s.get("ca")}
    reached = replace(network, plain_http=network.plain_http | plain, own_authorities=own)
    return reached, InstanceCredentials(instance.registries, scope)
