"""What all registries of one run share: connections, credentials, budget, open uploads."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from changeover.sources.oci.authority import Authority
from changeover.sources.oci.connection import Connection
from changeover.sources.oci.credential import Credential, Keyring
from changeover.sources.oci.network import Network
from changeover.sources.oci.patience import Budget
from changeover.sources.oci.registry import Registry
from changeover.sources.oci.uploads import UploadLog
from changeover.sources.oci.wire import Wire


@dataclass(frozen=True)
class Settings:
    """How to reach registries, who we are, and how long to go on trying."""

    network: Network = field(default_factory=Network)
    budget: Budget = field(default_factory=Budget)
    given: Mapping[str, Credential] = field(default_factory=dict)
    """Credentials by host or `HOST/PATH`, before the user's files: an instance's secrets."""
    uploads: Path | None = None
    """Where open upload sessions are recorded; none means nowhere."""


class Client:
    """Hands out one `Registry` per host."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.wire = Wire(settings.network)
        settings.budget.stop.tell(self.wire.interrupt)
        self.keyring = Keyring(settings.network.environ, settings.given)
        self._log = UploadLog(settings.uploads)
        self._registries: dict[str, Registry] = {}
        self._lock = threading.Lock()

    def registry(self, host: str) -> Registry:
        """Return the registry of a host, the same one each time."""
        with self._lock:
            if host not in self._registries:
                authority = Authority(host, self.wire, self.keyring)
                connection = Connection(host, self.wire, authority, self.settings.budget)
                self._registries[host] = Registry(connection, self._log)
            return self._registries[host]

    def notes(self) -> list[str]:
        """Return what registries would not do and an administrator may want to know."""
        return [n for r in self._registries.values() for n in r.uploader.notes]

    def close(self) -> None:
        """Close connections; the record of open uploads goes if none is open."""
        self._log.end()
        self.wire.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
