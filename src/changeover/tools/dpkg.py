"""Questions to dpkg: whose a file is, how its package delivered it, in this version and before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from changeover.hosts.command import Command, command, shell
from changeover.tools.texts import LARGEST, parse_texts

ARCHIVES = "/var/cache/apt/archives"

# Rotated logs are compressed; what cannot be read is as good as not there.
_PAST = """
for f in $(ls -tr /var/log/dpkg.log* 2>/dev/null); do zcat -f -- "$f" 2>/dev/null || :; done |
awk -v name="$1" '
    ($3 == "upgrade" || $3 == "install") && ($4 == name || index($4, name ":") == 1) {
        print $5, $6
    }'
"""
_DELIVERED = """
for f in $(ls -t /var/backups/dpkg.status* 2>/dev/null); do
    zcat -f -- "$f" 2>/dev/null | awk -v name="$1" -v path="$2" '
        /^Package: / { here = ($2 == name) }
        /^Version: / { version = $2 }
        here && /^ \\// && $1 == path { print version, $2 }' || :
done
"""
# Any version will do where a digest decides, and point releases seldom change such a file: where
# the one that is asked for cannot be had any more, the one that can is tried.
_UNPACK = """
name=$1 path=$2 download=$3 wanted=$4; shift 4
umask 077; room=$(mktemp -d); trap 'rm -rf -- "$room"' EXIT; cd -- "$room"
have=' '
unpacked() {
    version=$(dpkg-deb -f "$1" Version 2>/dev/null) || return 0
    case $have in *" $version "*) return 0 ;; esac
    have="$have$version "
    rm -rf tree; mkdir tree
    dpkg-deb --fsys-tarfile "$1" | tar -x -C tree --no-same-owner --wildcards \\
        ".$path" "./usr/*/${path##*/}" 2>/dev/null || :
    (cd tree && find . -type f -size -LARGESTk) | while IFS= read -r f; do
        printf '%s %s %s\\n' "$(base64 -w 0 -- "tree/$f")" "$version" "${f#.}"
    done
}
fetched() {
    apt-get -qq -o APT::Sandbox::User=root download "$1" >/dev/null 2>&1 || return 0
    for f in ./*.deb; do unpacked "$f"; rm -f -- "$f"; done
}
find "$@" -maxdepth 3 -name "${name}_*.deb" 2>/dev/null >archives || :
while IFS= read -r f; do unpacked "$f"; done <archives
[ "$download" = yes ] || exit 0
for v in $wanted; do
    case $have in *" $v "*) ;; *) fetched "$name=$v" ;; esac
done
[ "$have" != ' ' ] || fetched "$name"
""".replace("LARGEST", str(LARGEST + 1))


@dataclass(frozen=True)
class Delivered:
    """An installed package: its version, and the MD5 its configuration files came with."""

    version: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)


def owner(path: str) -> Command:
    """Ask which package a file belongs to; exits non-zero where it is nobody's."""
    return command("dpkg-query", "-S", path)


def parse_owner(output: str, path: str) -> str:
    """Return the package's name without its architecture; empty where there is none."""
    for line in output.splitlines():
        names, _, where = line.rpartition(": ")
        if where == path and not names.startswith(("diversion ", "local diversion ")):
            return names.partition(",")[0].partition(":")[0]
    return ""


def delivered(name: str) -> Command:
    """Ask for the version of a package and how it delivered its configuration files."""
    return command("dpkg-query", "-W", "-f=${Version}\\n${Conffiles}\\n", name)


def parse_delivered(output: str) -> Delivered:
    """Return version and digests; of several architectures the first."""
    version, *lines = output.splitlines() or [""]
    rows = (line.split() for line in lines if line.startswith(" "))
    return Delivered(version, {row[0]: row[1] for row in rows if len(row) > 1})


def past_versions(name: str) -> Command:
    """Ask dpkg's log which versions of a package were replaced by which."""
    return replace(shell(_PAST, name), label=f"dpkg.log: versions of {name}")


def parse_past_versions(output: str, now: str) -> tuple[str, ...]:
    """Return the versions before this one since it was first installed, the newest first."""
    found: dict[str, None] = {}
    for line in output.splitlines():
        old, _, new = line.partition(" ")
        if old == "<none>":
            found.clear()
        else:
            found[old] = None
        found.pop(new, None)
    return tuple(v for v in reversed(found) if v != now)


def past_digests(name: str, path: str) -> Command:
    """Ask dpkg's daily backups how earlier versions delivered a configuration file."""
    return replace(shell(_DELIVERED, name, path), label=f"dpkg.status backups: {path} of {name}")


def parse_past_digests(output: str) -> Mapping[str, str]:
    """Return version -> MD5, the newest first."""
    rows = (line.split() for line in output.splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 2}


@dataclass(frozen=True)
class Packed:
    """A file out of a package."""

    version: str
    path: str
    text: bytes


def texts(
    name: str, versions: Sequence[str], path: str, folders: Sequence[str], *, download: bool
) -> Command:
    """Unpack a file from all packages of a name that are kept, or fetch those of these versions.

    Files below /usr that have its name come along: what ucf installs is delivered there.
    """
    words = (name, path, "yes" if download else "no", " ".join(versions), ARCHIVES, *folders)
    return replace(shell(_UNPACK, *words), label=f"dpkg: {path} of {name}")


def parse_packed(output: str) -> Iterator[Packed]:
    """Yield the files."""
    for name, text in parse_texts(output):
        version, _, path = name.partition(" ")
        yield Packed(version, path, text)
