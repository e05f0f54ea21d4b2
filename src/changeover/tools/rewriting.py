"""Giving a file the content of another one of its host: in one rename, or into its inode."""

from __future__ import annotations

from dataclasses import replace

from changeover.hosts.command import Command, shell

# Attributes come last: until then nobody but root may read the copy. ACLs, extended attributes and
# the label of SELinux are among them, as far as the file system has any. The name begins with a
# dot, so that no `include conf.d/*` reads it, and is always the same, so that a kill leaves one at
# most: two writers from two machines wait for each other.
_RENAME = """
umask 077
new=$1 path=$2 beside=$3
exec 9<"${path%/*}/" && flock -w 60 9
trap 'rm -f -- "$beside"' EXIT
cat -- "$new" >"$beside"
cp --attributes-only --preserve=all --no-dereference -- "$path" "$beside"
[ -z "$4" ] || chown -- "$4" "$beside"
[ -z "$5" ] || chmod -- "$5" "$beside"
touch -- "$beside"
sync -- "$beside"
mv -T -- "$beside" "$path"
sync -- "${path%/*}/"
"""

# A disk that is full must not leave half a file: the old content takes no more room than before.
_IN_PLACE = """
new=$1 path=$2 old=$3
exec 9<"${path%/*}/" && flock -w 60 9
if ! { cat -- "$new" >"$path" && sync -- "$path"; }; then
    cat -- "$old" >"$path"
    sync -- "$path"
    echo "$path cannot be written" >&2
    exit 1
fi
[ -z "$4" ] || chown -- "$4" "$path"
[ -z "$5" ] || chmod -- "$5" "$path"
"""


def by_rename(new: str, path: str, *, owner: str = "", mode: str = "") -> Command:
    """Put the content of a file at a path, with the attributes of what is there now."""
    folder, _, name = path.rpartition("/")
    words = (new, path, f"{folder}/.{name[:200]}.changeover", owner, mode)
    return replace(shell(_RENAME, *words), label=f"put {new} at {path}, keeping its attributes")


def in_place(new: str, path: str, old: str, *, owner: str = "", mode: str = "") -> Command:
    """Put the content of a file into the inode at a path; `old` is put back where that fails."""
    return replace(shell(_IN_PLACE, new, path, old, owner, mode), label=f"write {new} into {path}")
