"""Writes the Changeover instance folder of a lab, as its operator would keep it in git."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from changeover.instances.agefile import make_key, secrets_text, write_encrypted
from labs.catalogage.layout import HERE, Layout

GUIDES = HERE.parents[1] / "guides"
SECRET = {"database_url", "secret_key"}


@dataclass(frozen=True)
class Written:
    """What an instance folder of a lab is made from."""

    folder: Path
    layout: Layout
    authority: Path
    host: dict[str, Any]
    """The host's entry: `transport` and how to reach it."""
    host_name: str = "catalogue"
    hub: Path | None = None
    """A hub whose guides say themselves how settings are called; without, the project's guide."""

    def write(self) -> Path:
        """Write `instance.yaml` and the encrypted secrets; gives the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / ".gitignore").write_text("age.key\n.changeover/\n")
        (self.folder / "ca.crt").write_bytes(self.authority.read_bytes())
        self._encrypt()
        text = yaml.safe_dump(self._instance(), sort_keys=False, allow_unicode=True, width=100)
        (self.folder / "instance.yaml").write_text(text)
        return self.folder

    def _instance(self) -> dict[str, Any]:
        return {
            "format": 1,
            "name": "lab",
            "product": "catalogage",
            "hubs": [str(self.hub or GUIDES)],
            "hosts": {self.host_name: {**self.host, "roles": ["web", "db"]}},
            "vars": self._variables(),
            "secrets": {name: {"age": "secrets.age"} for name in self._secrets()},
            "databases": {"main": {"url": "{{ secrets.database_url }}", "on": "db"}},
            "endpoints": [
                self._endpoint("pages", "/", contains="Catalogue"),
                self._endpoint("api", "/api/health/", contains='"status":"ok"'),
            ],
        }

    def _variables(self) -> dict[str, Any]:
        """What differs from the guide's own defaults."""
        usual = Layout("", "", "", "", "", "", "", "", "")
        given = {field.name: getattr(self.layout, field.name) for field in fields(Layout)}
        found = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in given.items()
            if name not in SECRET and value != getattr(usual, name)
        }
        return {
            "domain": self.layout.domain,
            "client_url": self.layout.client_url,
            **found,
            "page_contains": "Catalogue",
            # So that one guide serves the releases before and after the setting was renamed.
            "env": {} if self.hub else {"APP_PUBLIC_URL": self.layout.client_url},
        }

    def _endpoint(self, name: str, path: str, contains: str) -> dict[str, Any]:
        url = self.layout.client_url + path
        return {"name": name, "url": url, "contains": contains, "ca": "ca.crt"}

    def _secrets(self) -> dict[str, str]:
        return {
            "secret_key": self.layout.secret_key,
            "database_url": self.layout.database_url,
        }

    def _encrypt(self) -> None:
        """A key of its own beside the file: fine for a lab, never for a real instance."""

        if not (self.folder / "age.key").exists():
            make_key(self.folder)
        write_encrypted(self.folder / "secrets.age", secrets_text(self._secrets()))
