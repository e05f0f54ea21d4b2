"""A database of rpm's own in a folder, and a package in it whose configuration file was edited."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_SPEC = """\
Name: shop
Version: %{{v}}
Release: 1
Summary: a shop
License: none
BuildArch: noarch
%description
A shop.
%install
mkdir -p %{{buildroot}}{etc}
printf '[shop]\\nport = %{{port}}\\nworkers = 2\\n' >%{{buildroot}}{etc}/shop.ini
%files
%defattr(-,%(id -un),%(id -gn))
%config(noreplace) {etc}/shop.ini
"""


@dataclass(frozen=True)
class RpmFolder:
    """The folder; programs find its database where HOME is `home`."""

    folder: Path

    @property
    def home(self) -> Path:
        """Where rpm's settings are."""
        return self.folder / "home"

    @property
    def conffile(self) -> Path:
        """The package's configuration file."""
        return self.folder / "etc" / "shop.ini"

    def prepare(self) -> None:
        """Write rpm's settings and the package's recipe."""
        self.home.mkdir(parents=True)
        macros = f"%_dbpath {self.folder}/db\n%_topdir {self.folder}/build\n"
        (self.home / ".rpmmacros").write_text(macros)
        spec = _SPEC.format(etc=self.conffile.parent)
        (self.folder / "shop.spec").write_text(spec)

    def build(self, version: str, port: int) -> Path:
        """Build the package of a version."""
        spec = str(self.folder / "shop.spec")
        self._run("rpmbuild", "-bb", "--quiet", "-D", f"v {version}", "-D", f"port {port}", spec)
        return self.folder / "build" / "RPMS" / "noarch" / f"shop-{version}-1.noarch.rpm"

    def install(self, package: Path) -> None:
        """Install a package, or upgrade to it."""
        self._run("rpm", "-U", "--nodeps", str(package))

    def _run(self, *words: str) -> None:
        environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
