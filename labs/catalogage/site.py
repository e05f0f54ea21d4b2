"""The platform as its users meet it: through nginx, over TLS."""

import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.servers.nginx import trusting


@dataclass(frozen=True)
class Site:
    """A public address and the authority that vouches for it."""

    url: str
    authority: Path

    def page(self, path: str = "/") -> str:
        """What users get for a path; raises OSError for anything but success."""
        trusted = trusting(self.authority)
        with urllib.request.urlopen(self.url + path, context=trusted, timeout=5) as answer:  # noqa: S310
            return str(answer.read().decode())

    def health(self) -> dict[str, object]:
        """What the deep health endpoint says; raises OSError while it does not say `ok`."""
        found: dict[str, object] = json.loads(self.page("/api/health/"))
        return found

    @property
    def healthy(self) -> bool:
        """Whether the API, the database behind it and the pages answer."""
        try:
            return self.health()["status"] == "ok" and "indisponible" not in self.page()
        except OSError:
            return False
