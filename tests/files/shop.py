"""Three releases of a shop whose settings file changes, and an instance on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_RELEASE = """\
format: 1
product: shop
version: {version}
from: "{origin}"
probe: {{file: {root}/VERSION}}
configs:
  settings:
    reference: files/settings.toml.j2
    at: {root}/settings.toml
    renamed: {renamed}
    notes: {{server.workers: {{en: One for each core; more only costs memory.}}}}
steps:
  - {{id: settings, use: files.merge, with: {{config: settings}}}}
"""
_INSTANCE = """\
format: 1
name: prod
product: shop
hubs: [releases]
hosts:
  web1: {{transport: local, state_dir: {root}/state}}
vars: {{domain: shop.example}}
secrets:
  database: {{file: password}}
"""
SECRET = "s3cret-enough"


def reference(workers: int, db: str, host: str, there: str, password: str) -> str:
    """Return the settings file of a release; `db` and `host` are what it calls them."""
    return f"""\
# The shop
[server]
host = "{{{{ vars.domain }}}}"
port = 80
# How many
workers = {workers}
[{db}]
{host} = "{there}"
password = "{password}"
"""


def edited(password: str) -> str:
    """Return the settings file of 1.0.0 as its operator edited it."""
    return f"""\
# The shop
[server]
host = "shop.example"
port = 8080
# How many
workers = 8
[db]
hostname = "db7"
password = "{password}"
"""


EDITED = edited(SECRET)


def write_release(
    releases: Path, version: str, origin: str, root: str, renamed: str, text: str
) -> None:
    """Write a release whose settings file, merged below `root`, is this text."""
    folder = releases / version
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "settings.toml.j2").write_text(text)
    told = _RELEASE.format(version=version, origin=origin, root=root, renamed=renamed)
    (folder / "release.yaml").write_text(told)


@dataclass(frozen=True)
class Shop:
    """The folder of the instance, its releases and the host's files."""

    folder: Path

    @property
    def settings(self) -> Path:
        """The file on the host."""
        return self.folder / "host" / "settings.toml"

    def prepare(self) -> None:
        """Write releases, instance and the file as its operator edited it."""
        self._release("1.0.0", "none || <1.0", 2, "db", "hostname", "{}")
        self._release("1.1.0", ">=1.0,<1.1", 4, "db", "host", "{db.hostname: db.host}")
        renamed = "{db.host: database.address, db.password: database.password}"
        self._release("2.0.0", ">=1.1,<2.0", 4, "database", "address", renamed)
        root = self.settings.parent
        root.mkdir()
        (root / "VERSION").write_text("1.0.0\n")
        self.settings.write_text(EDITED)
        self.settings.chmod(0o640)
        (self.folder / "password").write_text(SECRET)
        (self.folder / "instance.yaml").write_text(_INSTANCE.format(root=root))

    def _release(
        self, version: str, origin: str, workers: int, db: str, host: str, renamed: str
    ) -> None:
        text = reference(workers, db, host, "db", "{{ secrets.database }}")
        root = str(self.folder / "host")
        write_release(self.folder / "releases", version, origin, root, renamed, text)
