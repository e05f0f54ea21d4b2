"""The configuration files of packages in Debian 11, 12 and 13, fetched with apt."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from bench.merge_oracle import READERS
from bench.merge_series import Reference

SUITES = ("bullseye", "bookworm", "trixie")
PACKAGES = (
    "openssh-server", "openssh-client", "nginx-common", "supervisor", "redis-server",
    "redis-sentinel", "mariadb-common", "containerd", "systemd", "prometheus",
    "prometheus-alertmanager", "prometheus-blackbox-exporter", "fail2ban", "procps", "cloud-init",
    "rabbitmq-server", "memcached", "mosquitto", "chrony", "dnsmasq", "network-manager",
    "avahi-daemon", "sysstat", "login", "smartmontools", "cups-daemon",
    "php7.4-cli|php8.2-cli|php8.4-cli",
    "postgresql-13|postgresql-15|postgresql-17", "keystone", "nova-common", "neutron-common",
    "glance-common", "cinder-common", "heat-common", "mopidy", "radicale", "transmission-daemon",
    "pgbouncer", "patroni", "bluez", "sssd-common", "libvirt-daemon-system", "nfs-common",
    "lightdm", "vsftpd", "opendkim", "unattended-upgrades", "tor", "haproxy", "varnish",
)  # fmt: skip
_FORMS = (
    ("*.service *.socket *.timer *.target *.path *.mount *.slice /etc/systemd/*.conf", "systemd"),
    ("*.yml *.yaml */cloud.cfg */cloud.cfg.d/*.cfg", "yaml"),
    ("*.toml", "toml"),
    ("*.json", "json"),
    ("/etc/nginx/*", "nginx"),
    ("*/sshd_config */ssh_config", "sshd"),
    ("/etc/default/*", "dotenv"),
    ("*.ini *.ini-production *.ini-development *.cnf */supervisord.conf /etc/fail2ban/*.conf "
     "*/NetworkManager.conf */avahi-daemon.conf */bluetooth/*.conf */nova.conf */cinder.conf "
     "*/keystone.conf */neutron.conf */glance-*.conf */heat.conf */mopidy.conf */radicale/config "
     "*/pgbouncer.ini */lightdm.conf", "ini"),
    ("*/redis.conf */sentinel.conf */sysctl.conf */mosquitto.conf */chrony.conf */login.defs "
     "*/vsftpd.conf */opendkim.conf */dnsmasq.conf */postgresql.conf.sample */libvirt/*.conf "
     "*/memcached.conf", "directives"),
)  # fmt: skip
_TREES = ("./etc/*", "./lib/systemd/*", "./usr/lib/systemd/*", "./usr/lib/php/*",
          "./usr/share/*conf*", "./usr/share/*.sample", "./usr/share/doc/*/examples/*")  # fmt: skip


def debian_series() -> list[list[Reference]]:
    """Return every file that is in two of the releases or more, and changed."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        suites = [suite for suite in SUITES if _prepare(root, suite)]
        print(f"  apt knows {', '.join(suites) or 'no release'}", flush=True)
        return [series for package in PACKAGES for series in _files(root, suites, package)]


def _files(root: Path, suites: list[str], package: str) -> Iterator[list[Reference]]:
    trees = [_unpacked(root, suite, package) for suite in suites]
    texts: dict[str, list[str]] = {}
    for tree in trees:
        for path in sorted(tree.rglob("*")) if tree else ():
            text = _text(path) if tree else None
            if tree and text:
                # A version within the path is no other file.
                name = "/" + re.sub(r"/[0-9][0-9.]*/", "/N/", str(path.relative_to(tree)))
                texts.setdefault(name.replace("/usr/lib/systemd/", "/lib/systemd/"), []).append(
                    text
                )
    for name, versions in texts.items():
        form = next((form for globs, form in _FORMS if _matches(name, globs)), None)
        steps = [text for n, text in enumerate(versions) if n == 0 or text != versions[n - 1]]
        if form and len(steps) > 1 and all(_readable(form, text) for text in steps):
            yield [Reference(name, form, text) for text in steps]


def _matches(name: str, globs: str) -> bool:
    return any(fnmatch(name, glob) for glob in globs.split())


def _text(path: Path) -> str | None:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > 300_000:
        return None
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return None
    return text if text.strip() and "\0" not in text else None


def _readable(form: str, text: str) -> bool:
    """Return whether the oracle can judge a file; scripts that look like variables are none."""
    if form == "dotenv" and re.search(r"(?m)^\s*(?:if|for|case|\.|fi|then)\b", text):
        return False
    try:
        READERS[form](text)
    except Exception:  # noqa: BLE001 - whatever the parser raises, the file is not judged
        return False
    return True


def _apt(root: Path, suite: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    home = root / suite
    options = {
        "Dir::Etc::sourcelist": home / "sources.list", "Dir::Etc::sourceparts": "-",
        "Dir::State": home / "state", "Dir::State::status": home / "status",
        "Dir::Cache": home / "cache", "APT::Get::List-Cleanup": "0",
    }  # fmt: skip
    told = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    return subprocess.run(["apt-get", *told, "-qq", *words], cwd=home, capture_output=True,
                          check=False, timeout=300)  # fmt: skip


def _prepare(root: Path, suite: str) -> bool:
    home = root / suite
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (home / folder).mkdir(parents=True)
    (home / "status").touch()
    known = Path("/etc/apt/sources.list.d/debian.sources")
    found = re.search(r"URIs:\s*(\S+)", known.read_text()) if known.exists() else None
    if not found:
        return False
    (home / "sources.list").write_text(f"deb [trusted=yes] {found.group(1)} {suite} main\n")
    return _apt(root, suite, "update").returncode == 0


def _unpacked(root: Path, suite: str, package: str) -> Path | None:
    """Fetch the first of `one|other` that a release has; return its files."""
    for name in package.split("|"):
        if _apt(root, suite, "download", name).returncode:
            continue
        archive = next((root / suite).glob(f"{name}_*.deb"))
        target = root / suite / "files" / name
        target.mkdir(parents=True)
        tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(archive)], capture_output=True,
                             check=True).stdout  # fmt: skip
        subprocess.run(["tar", "-x", "-C", str(target), "--wildcards", *_TREES], input=tar,
                       check=False, capture_output=True)  # fmt: skip
        archive.unlink()
        return target
    return None
