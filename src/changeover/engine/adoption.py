"""Read what runs on a server, changing nothing: the beginning of an instance."""

from __future__ import annotations

import base64
import configparser
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from changeover.errors import NotReady
from changeover.hosts.command import shell
from changeover.hosts.host import Host

LIMIT = 120.0
"""Seconds the reading may take."""

_SCRIPT = r"""
root=$1
emit() { printf '%s\t%s\t' "$1" "$2"; head -c 65536 "$2" | base64 | tr -d '\n'; printf '\n'; }
every() {
    kind=$1; shift
    for f do if [ -f "$f" ] && [ -r "$f" ]; then emit "$kind" "$f"; fi; done
}
every nginx "$root"/etc/nginx/sites-enabled/* "$root"/etc/nginx/conf.d/*.conf
every supervisor "$root"/etc/supervisor/conf.d/*.conf
for unit in "$root"/etc/systemd/system/*.service; do
    # Links there are aliases of units that packages brought.
    if [ ! -L "$unit" ]; then every systemd "$unit"; fi
done
find "$root/srv" "$root/opt" "$root/root" "$root/home" "$root/var/www" -maxdepth 4 \
    -name .git -prune 2>/dev/null | head -n 50 | while IFS= read -r git; do
    d=${git%/.git}
    case $d in */.*) continue ;; esac
    ask() { git -c safe.directory='*' -C "$d" "$@" 2>/dev/null || true; }
    printf 'git\t%s\t%s\t%s\t%s\n' "$d" "$(ask rev-parse HEAD)" \
        "$(ask rev-parse --abbrev-ref HEAD)" "$(ask config --get remote.origin.url)"
    every env "$d/.env"
done
"""


@dataclass(frozen=True)
class Site:
    """A site nginx serves."""

    file: str
    names: tuple[str, ...]
    tls: bool
    upstreams: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """A program that supervisor or systemd keeps running."""

    keeper: str
    name: str
    folder: str
    words: str


@dataclass(frozen=True)
class Checkout:
    """A git working tree."""

    folder: str
    commit: str
    branch: str
    repository: str
    """Without the user or token that a URL may hold."""


@dataclass(frozen=True)
class Database:
    """A database that an environment file names."""

    file: str
    key: str
    url: str = field(repr=False)
    """A secret: it holds the password."""

    @property
    def shown(self) -> str:
        """The address without its password."""
        return without_password(self.url)


@dataclass(frozen=True)
class Found:
    """What a server showed."""

    sites: tuple[Site, ...] = ()
    services: tuple[Service, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
    databases: tuple[Database, ...] = ()


def read_server(host: Host, root: str = "") -> Found:
    """Read the server; raise `NotReady` where it has not even a shell and base64."""
    done = host.ask(shell(_SCRIPT, root), timeout=LIMIT)
    if not done.ok:
        why = done.stderr.strip().rpartition("\n")[2]
        raise NotReady(f"{host.name}: cannot be read: {why}", "log in and look")
    records = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    files = [(kind, path, _text(coded)) for kind, path, coded in _files(records)]
    return Found(
        tuple(s for kind, path, text in files if kind == "nginx" for s in _sites(path, text)),
        tuple(_services(files)),
        tuple(_checkouts(records)),
        tuple(d for kind, path, text in files if kind == "env" for d in _databases(path, text)),
    )


def found_lines(found: Found) -> Iterator[str]:
    """Say what was found, without a secret."""
    for site in found.sites:
        tls = "with TLS" if site.tls else "without TLS"
        yield f"site {' '.join(site.names)} {tls}, to {', '.join(site.upstreams) or 'files'}"
    for service in found.services:
        yield f"{service.keeper} program {service.name} in {service.folder or '?'}"
    for checkout in found.checkouts:
        yield (
            f"checkout {checkout.folder}: {checkout.branch} at {checkout.commit[:12]}"
            f" of {checkout.repository or '?'}"
        )
    for database in found.databases:
        yield f"database {database.shown} ({database.key} in {database.file})"


def without_password(url: str) -> str:
    """Return a URL without its password."""
    try:
        parts = urlsplit(url)
        user = f"{parts.username}@" if parts.username else ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(an address that cannot be read)"
    return urlunsplit((parts.scheme, f"{user}{parts.hostname or ''}{port}", parts.path, "", ""))


def _files(records: Sequence[list[str]]) -> Iterator[tuple[str, str, str]]:
    for record in records:
        if len(record) == 3:
            yield record[0], record[1], record[2]


def _text(coded: str) -> str:
    return base64.b64decode(coded).decode("utf-8", "replace")


def _sites(path: str, text: str) -> Iterator[Site]:
    plain = re.sub(r"#.*", "", text)
    for block in re.split(r"\bserver\s*\{", plain)[1:]:
        said = re.findall(r"\bserver_name\s+([^;]+);", block)
        names = tuple(n for line in said for n in line.split() if n != "_")
        tls = bool(re.search(r"\blisten\s+[^;]*\b(?:443|ssl)\b", block))
        upstreams = tuple(dict.fromkeys(re.findall(r"\bproxy_pass\s+([^;]+);", block)))
        if names:
            yield Site(path, names, tls, upstreams)


def _services(files: Sequence[tuple[str, str, str]]) -> Iterator[Service]:
    for kind, path, text in files:
        if kind == "supervisor":
            yield from _programs(text)
        elif kind == "systemd":
            name = path.rpartition("/")[2]
            folder = _setting(text, "WorkingDirectory")
            yield Service("systemd", name, folder, _setting(text, "ExecStart"))


def _programs(text: str) -> Iterator[Service]:
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for section in parser.sections():
        kind, _, name = section.partition(":")
        if kind == "program":
            folder = parser.get(section, "directory", fallback="") or ""
            words = parser.get(section, "command", fallback="") or ""
            yield Service("supervisor", name, folder, words)


def _setting(text: str, name: str) -> str:
    found = re.search(rf"^{name}\s*=\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _checkouts(records: Sequence[list[str]]) -> Iterator[Checkout]:
    for record in records:
        if record[0] == "git" and len(record) == 5:
            repository = record[4]
            clean = without_password(repository) if "://" in repository else repository
            yield Checkout(record[1], record[2], record[3], re.sub(r"://[^/@]*@", "://", clean))


_DATABASE = re.compile(r"(?:postgres(?:ql)?|mysql|mariadb|mongodb)(?:\+[a-z0-9]+)?://\S+")


def _databases(path: str, text: str) -> Iterator[Database]:
    for line in text.splitlines():
        key, equals, value = line.strip().removeprefix("export ").partition("=")
        url = value.strip().strip("\"'")
        if equals and _DATABASE.fullmatch(url):
            yield Database(path, key.strip(), url)
