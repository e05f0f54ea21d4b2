"""Series of references: written ones in every format, and the files of Debian packages."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

from tests.merge.documents import Entry, Maker, write

from bench.merge_oracle import READERS

NAMES = {
    "yaml": "x.yaml",
    "toml": "x.toml",
    "json": "x.json",
    "ini": "x.ini",
    "nginx": "nginx.conf",
    "systemd": "x.service",
    "dotenv": ".env",
    "directives": "x.conf",
    "sshd": "sshd_config",
}
PACKAGES = {
    "openssh-server": ("/usr/share/openssh/sshd_config", "sshd_config", "sshd"),
    "nginx-common": ("/etc/nginx/nginx.conf", "nginx.conf", "nginx"),
    "supervisor": ("/etc/supervisor/supervisord.conf", "supervisord.conf", "ini"),
    "redis-server": ("/etc/redis/redis.conf", "redis.conf", "directives"),
    "mariadb-server": ("/etc/mysql/mariadb.conf.d/50-server.cnf", "50-server.cnf", "ini"),
    "containerd": ("/etc/containerd/config.toml", "config.toml", "toml"),
    "systemd": ("/etc/systemd/journald.conf", "systemd/journald.conf", "systemd"),
    "prometheus": ("/etc/prometheus/prometheus.yml", "prometheus.yml", "yaml"),
    "fail2ban": ("/etc/fail2ban/fail2ban.conf", "fail2ban.ini", "ini"),
    "procps": ("/etc/sysctl.conf", "sysctl.conf", "directives"),
    "cloud-init": ("/etc/cloud/cloud.cfg", "cloud.yaml", "yaml"),
    "podman": ("/usr/share/containers/containers.conf", "containers.toml", "toml"),
}
_STEPS = 9
_VALUE = re.compile(
    r"^(?P<head>\s*(?:- )?[\w.\"/-]+(?:\s*[=:]\s*|\s+)\"?)(?P<value>[\w./-]+)(?P<tail>[^\n]*)$"
)


@dataclass(frozen=True)
class Reference:
    """One release's reference of one file."""

    name: str
    form: str
    text: str


def written_series(seed: int) -> list[list[Reference]]:
    """Write series of references with moves, renames, re-indentation and comments."""
    series = []
    for form in READERS:
        for number in range(4):
            depth = {"yaml": 2, "toml": 2, "json": 2, "nginx": 2}.get(form, 1)
            depth = 0 if form in ("dotenv", "directives") else depth
            tables = form in ("yaml", "toml", "json")
            maker = Maker(seed * 100 + number, depth=depth, tables=tables)
            document = maker.document()
            steps = []
            for _ in range(_STEPS):
                steps.append(Reference(NAMES[form], form, write(document, form)))
                document = maker.edited(document, maker.random.randrange(2, 8))
                _move(document, maker.random)
            series.append(steps)
    return series


def _move(document: Entry, random: Random) -> None:
    """Swap two neighbouring settings now and then."""
    places = [
        place for place, pair in enumerate(pairwise(document.children))
        if all(entry.kind == "setting" for entry in pair)
    ]  # fmt: skip
    if places and random.random() < 0.4:
        place = random.choice(places)
        first, second = document.children[place : place + 2]
        document.children[place : place + 2] = [second, first]


def debian_series() -> list[list[Reference]]:
    """Fetch a file of each package in Debian 11, 12 and 13, as far as they can be reached."""
    series = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        suites = [suite for suite in ("bullseye", "bookworm", "trixie") if _prepare(root, suite)]
        for package, (path, name, form) in PACKAGES.items():
            texts = [_file(root, suite, package, path) for suite in suites]
            steps = [Reference(name, form, text) for text in texts if text]
            if len(steps) > 1:
                series.append(steps)
            elif steps:
                print(f"  {package}: one version only, left out")
    return series


def _apt(root: Path, suite: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    home = root / suite
    options = {
        "Dir::Etc::sourcelist": home / "sources.list", "Dir::Etc::sourceparts": "-",
        "Dir::State": home / "state", "Dir::State::status": home / "status",
        "Dir::Cache": home / "cache", "APT::Get::List-Cleanup": "0",
    }  # fmt: skip
    told = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    return subprocess.run(["apt-get", *told, "-qq", *words], cwd=home, capture_output=True,
                          check=False, timeout=120)  # fmt: skip


def _prepare(root: Path, suite: str) -> bool:
    home = root / suite
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (home / folder).mkdir(parents=True)
    (home / "status").touch()
    known = Path("/etc/apt/sources.list.d/debian.sources")
    found = re.search(r"URIs:\s*(\S+)", known.read_text()) if known.exists() else None
    if not found:
        return False
    mirror = found.group(1)
    (home / "sources.list").write_text(f"deb [trusted=yes] {mirror} {suite} main\n")
    return _apt(root, suite, "update").returncode == 0


def _file(root: Path, suite: str, package: str, path: str) -> str | None:
    if _apt(root, suite, "download", package).returncode:
        return None
    archive = next((root / suite).glob(f"{package}_*.deb"), None)
    if archive is None:
        return None
    target = root / suite / "files"
    subprocess.run(["dpkg-deb", "-x", str(archive), str(target)], check=False)
    found = target / path.lstrip("/")
    return found.read_text() if found.is_file() else None


def local_edits(reference: Reference, random: Random, count: int) -> str | None:
    """Return the reference with edits an operator might make; None where it no longer parses."""
    lines = reference.text.split("\n")
    for _ in range(count):
        _edit(lines, random)
    text = "\n".join(lines)
    try:
        READERS[reference.form](text)
    except Exception:  # noqa: BLE001 - an edit that breaks the file is no question
        return None
    return text


def _is_setting(line: str) -> bool:
    plain = not line.lstrip().startswith("#") and "name" not in line and not line.endswith("{")
    return bool(plain and not line.startswith("Match") and _VALUE.match(line))


def _edit(lines: list[str], random: Random) -> None:
    settings = [place for place, line in enumerate(lines) if _is_setting(line)]
    if not settings:
        return
    place = random.choice(settings)
    found = _VALUE.match(lines[place])
    choice = random.random()
    if choice < 0.6 and found:
        lines[place] = f"{found['head']}local{random.randrange(1000)}{found['tail']}"
    elif choice < 0.75:
        del lines[place]
    elif choice < 0.9 and found and not found["tail"].endswith(("{", ":")):
        key = re.sub(
            r"[\w-]+(?=[\"\s=:])", f"local{random.randrange(1000)}", found["head"], count=1
        )
        lines.insert(place + 1, f"{key}{found['value']}{found['tail']}")
    else:
        indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
        lines.insert(place, f"{indent}# local note {random.randrange(1000)}")
