"""Writes the Ansible environment of a lab, as a team has it that deploys by the manual."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from changeover.instances.ansible.vault import Password, encrypt
from labs.catalogage.layout import HERE, Layout

PASSWORD = "a word only the team knows"  # noqa: S105 - of a lab
VARIABLES = {"workdir": "workdir", "git_repo": "repository", "api_port": "api_port",
             "client_port": "client_port", "domain_name": "domain", "nginx_sites": "sites",
             "http_port": "http_port", "https_port": "https_port", "listen": "listen",
             "programs": "programs", "logs": "logs", "python": "python", "node": "node",
             "certificate": "certificate", "certificate_key": "certificate_key"}  # fmt: skip
"""The playbook's variables, and where the lab has them. Host variables: the playbook's own
group_vars beat those of an environment."""

SHARED = {name: name for name in ("logs", "programs", "listen", "python", "node", "http_port",
                                  "https_port", "certificate", "certificate_key")}  # fmt: skip
SHARED |= {"sites": "nginx_sites"}
"""Variables of the guide, and what this playbook calls them."""
OURS = ("api_port_b", "ca", "client_port_b", "nginx_folder", "serving", "ssr_port",
        "supervisor_config", "wheels")  # fmt: skip
"""What the playbook knows nothing of."""
WORKDIR = "/root/catalogage"


@dataclass(frozen=True)
class WrittenEnvironment:
    """What the folder `ops` of a lab is made from."""

    folder: Path
    layout: Layout
    authority: Path
    connection: dict[str, Any]
    """Variables such as `ansible_ssh_common_args`."""
    host: dict[str, Any]
    """What `changeover.yaml` says of the host."""
    host_name: str = "catalogue"

    def write(self) -> Path:
        """Write `folder/ops`; gives the environment's folder."""
        shutil.copytree(HERE / "ops", self.folder / "ops")
        ansible = self.folder / "ops" / "ansible"
        (ansible / "vault-password").write_text(PASSWORD + "\n")
        environment = ansible / "environments" / "lab"
        (environment / "group_vars").mkdir(parents=True)
        (environment / "ca.crt").write_bytes(self.authority.read_bytes())
        self._write(environment / "hosts", self._inventory())
        self._write(environment / "group_vars/web.yml", self._group())
        sealed = encrypt(_yaml(self._secrets()).encode(), Password(PASSWORD.encode()))
        (environment / "secrets").write_text(sealed)
        self._write(environment / "changeover.yaml", self._extras())
        return environment

    def _inventory(self) -> str:
        found = {name: getattr(self.layout, field) for name, field in VARIABLES.items()}
        if found["workdir"] == WORKDIR:
            # As the playbook says itself, once the host has told its HOME.
            del found["workdir"]
        control = ["supervisorctl"]
        if self.layout.supervisor_config:
            control += ["-c", self.layout.supervisor_config]
        if self.layout.wheels:
            found["pip_options"] = f"--no-index --find-links {self.layout.wheels}"
        found |= {"nginx": self.layout.nginx[0], "supervisorctl": " ".join(control)}
        found |= self.connection
        pairs = [f"{name}={json.dumps(str(value))}" for name, value in found.items()]
        return f"[web]\n{self.host_name} {' '.join(pairs)}\n"

    def _group(self) -> dict[str, Any]:
        return {
            "tls_enabled": True,
            "git_version": "1.0.0",
            "client_url": self.layout.client_url,
            "datapass_url": "https://auth.example",
        }

    def _secrets(self) -> dict[str, Any]:
        return {
            "secret_key": self.layout.secret_key,
            "database_url": self.layout.database_url,
            "datapass_client_id": "lab",
            "datapass_client_secret": "not-much-of-a-secret",
            "sentry_dsn": "",
        }

    def _extras(self) -> dict[str, Any]:
        layout = self.layout
        return {
            "format": 1,
            "vars": {
                **{name: getattr(layout, name) for name in OURS},
                "nginx": list(layout.nginx),
                "env": {"APP_PUBLIC_URL": layout.client_url},
                "page_contains": "Catalogue",
                # What the machine has, whatever the manual asks of its hosts.
                "python_version": ">=3.8",
                "node_version": ">=16",
                **{ours: f"{{{{ {theirs} }}}}" for ours, theirs in SHARED.items()},
            },
            "endpoints": [
                {"name": "pages", "url": "{{ client_url }}/", "contains": "Catalogue",
                 "ca": "ca.crt"},
                {"name": "api", "url": "{{ client_url }}/api/health/", "contains": '"status":"ok"',
                 "ca": "ca.crt"},
            ],
            "hosts": {self.host_name: self.host},
        }  # fmt: skip

    @staticmethod
    def _write(path: Path, content: Any) -> None:
        path.write_text(content if isinstance(content, str) else _yaml(content))


def _yaml(value: Any) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100))
