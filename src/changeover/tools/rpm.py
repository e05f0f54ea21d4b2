"""Questions to rpm: whose a file is, its digest, and the file in packages that are kept."""

from __future__ import annotations

from dataclasses import replace

from changeover.hosts.command import Command, command, shell
from changeover.tools.texts import LARGEST

CACHES = ("/var/cache/dnf", "/var/cache/yum", "/var/cache/libdnf5", "/var/cache/zypp/packages")
_DIGESTS = "[%{FILENAMES}\\t%{FILEDIGESTS}\\n]"

# Asked on a host that is not rpm's, rpm would make itself a database.
_OWNER = """
db=$(rpm --eval '%{_dbpath}' 2>/dev/null) && [ -n "$(ls -A -- "$db" 2>/dev/null)" ] || exit 1
exec rpm -qf --qf '%{NAME} %{VERSION}-%{RELEASE}\\n' -- "$1"
"""
# `rpm2cpio` comes with rpm, cpio does not everywhere: bsdtar and rpm2archive do the same.
_UNPACK = """
name=$1 path=$2; shift 2
umask 077; room=$(mktemp -d); trap 'rm -rf -- "$room"' EXIT
cd -- "$room"
asked='%{NAME} %{VERSION}-%{RELEASE}'
find "$@" -name "$name-*.rpm" 2>/dev/null | while IFS= read -r f; do
    version=$(rpm -qp --nosignature --qf "$asked" "$f" 2>/dev/null) || continue
    [ "${version%% *}" = "$name" ] || continue
    rm -rf tree; mkdir tree
    if command -v cpio >/dev/null; then
        rpm2cpio "$f" | (cd tree && cpio -idm --quiet ".$path") 2>/dev/null || :
    else
        rpm2archive - <"$f" | tar -xz -C tree ".$path" 2>/dev/null || :
    fi
    [ ! -f "tree$path" ] || [ "$(du -k "tree$path" | cut -f 1)" -gt LARGEST ] ||
        printf '%s %s\\n' "$(base64 -w 0 -- "tree$path")" "${version#* }"
done
""".replace("LARGEST", str(LARGEST))


def owner(path: str) -> Command:
    """Ask for name and version of the package of a file; exits non-zero where it is nobody's."""
    return replace(shell(_OWNER, path), label=f"rpm: whose {path} is")


def parse_owner(output: str) -> tuple[str, str]:
    """Return name and version; empty where there is none."""
    words = (output.splitlines() or [""])[0].split()
    return (words[0], words[1]) if len(words) == 2 else ("", "")


def digests(name: str) -> Command:
    """Ask for the digests of a package's files, MD5 or SHA-256 as its builder chose."""
    return command("rpm", "-q", "--qf", _DIGESTS, name)


def parse_digest(output: str, path: str) -> str:
    """Return the digest of one file; empty where it has none."""
    rows = (line.split("\t") for line in output.splitlines())
    return next((row[1] for row in rows if len(row) == 2 and row[0] == path), "")


def texts(name: str, path: str, folders: tuple[str, ...]) -> Command:
    """Unpack a file from all packages of a name that are kept; named by their versions."""
    return replace(shell(_UNPACK, name, path, *CACHES, *folders), label=f"rpm: {path} of {name}")
