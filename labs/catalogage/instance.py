"""Writes the Changeover instance folder of a lab, as its operator would keep it in git."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from changeover.instances.agefile import make_key, secrets_text, write_encrypted
from labs.catalogage.layout import HERE, Layout

GUIDES = HERE.parents[1] / "guides"
NAMES = [
    "workdir",
    "repository",
    "sites",
    "programs",
    "logs",
    "certificate",
    "certificate_key",
    "api_port",
    "client_port",
    "api_port_b",
    "client_port_b",
    "ssr_port",
    "serving",
    "supervisor_config",
    "http_port",
    "https_port",
    "listen",
    "domain",
    "node",
    "python",
    "wheels",
    "client_url",
]


@dataclass(frozen=True)
class Written:
    """What an instance folder of a lab is made from."""

    folder: Path
    layout: Layout
    authority: Path
    host: dict[str, Any]
    """The host's entry: `transport` and how to reach it."""
    host_name: str = "catalogue"

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
        layout = self.layout
        return {
            "format": 1,
            "name": "lab",
            "product": "catalogage",
            "hubs": [str(GUIDES)],
            "hosts": {self.host_name: {**self.host, "roles": ["web", "db"]}},
            "vars": {
                **{name: getattr(layout, name) for name in NAMES},
                "nginx": list(layout.nginx),
                "supervisorctl": list(layout.supervisorctl),
                "programs_file": "catalogage.conf",
                "page_contains": "Catalogue",
                # What the host can check its own site with: the authority's key is not there.
                "ca": layout.certificate,
                "env": {"APP_PUBLIC_URL": layout.client_url},
            },
            "secrets": {name: {"age": "secrets.age"} for name in self._secrets()},
            "databases": {"main": {"url": "{{ secrets.database_url }}", "on": "db"}},
            "endpoints": [
                self._endpoint("pages", "/", contains="Catalogue"),
                self._endpoint("api", "/api/health/", contains='"status":"ok"'),
            ],
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
