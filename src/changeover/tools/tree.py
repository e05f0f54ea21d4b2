"""Moving whole folders into place: scripts for what a single command cannot do in one step."""

from __future__ import annotations

from dataclasses import replace

from changeover.hosts.command import Command, command, shell

# In this order: coreutils from 9.5 on, the kernel through perl (part of every Debian), and last
# three renames with a gap between them, for file systems that cannot exchange.
_SWAP = """
swap() {
    if [ -e "$1.swap" ] && [ ! -e "$1" ]; then mv -T -- "$1.swap" "$1"; fi
    if mv --exchange -T -- "$1" "$2" 2>/dev/null; then return 0; fi
    case "$(uname -m)" in
        x86_64) call=316 ;; aarch64|riscv64) call=276 ;; i?86) call=353 ;; armv*) call=382 ;;
        ppc64le) call=357 ;; s390x) call=347 ;; *) call=0 ;;
    esac
    if [ "$call" != 0 ] && perl -e \
        'exit(syscall($ARGV[0] + 0, -100, $ARGV[1], -100, $ARGV[2], 2) == 0 ? 0 : 1)' \
        "$call" "$1" "$2" 2>/dev/null; then return 0; fi
    mv -T -- "$1" "$1.swap"; mv -T -- "$2" "$1"; mv -T -- "$1.swap" "$2"
}
"""

_ADOPT = (
    _SWAP
    + """
if [ -L "$1" ]; then exit 0; fi
mkdir -p -- "${2%/*}"
if [ ! -d "$2" ] || [ -L "$2" ]; then ln -sfnT -- "$2" "$2"; swap "$1" "$2"; fi
"""
)

_RELEASE = (
    _SWAP
    + """
if [ -L "$1" ] && [ -d "$2" ] && [ ! -L "$2" ]; then swap "$1" "$2"; fi
if [ -L "$2" ]; then rm -f -- "$2"; fi
"""
)

PLACE = (
    _SWAP
    + """
# Brings $1.partial to $1 in one rename; what was there becomes $1.before, if nothing older is.
place() {
    if [ ! -e "$1" ] || rmdir -- "$1" 2>/dev/null; then mv -T -- "$1.partial" "$1"; return; fi
    swap "$1" "$1.partial"
    if [ -e "$1.before" ]; then rm -rf -- "$1.partial"; else mv -T -- "$1.partial" "$1.before"; fi
}
"""
)

SHARED = """
# Copies a folder whose files nobody writes into: as hard links, or whole where those cannot be.
shared() {
    mkdir -p -- "${2%/*}"; rm -rf -- "$2"
    if ! cp -al -- "$1" "$2" 2>/dev/null; then
        rm -rf -- "$2"; cp -a --reflink=auto -- "$1" "$2"
    fi
}
"""

_ASIDE = """
count=$1; shift
while [ "$count" -gt 0 ]; do
    if [ -e "$1.before" ]; then rm -rf -- "$1"
    elif [ -e "$1" ]; then mv -T -- "$1" "$1.before"; fi
    shift; count=$((count - 1))
done
exec "$@"
"""

_BACK = """
if [ -e "$1.before" ]; then rm -rf -- "$1"; mv -T -- "$1.before" "$1"; fi
"""


def adopt(folder: str, home: str) -> Command:
    """Move a plain folder to `home` and leave a link to it in its place, as one exchange.

    Whoever opens a path below the folder finds the same file before, during and after.
    """
    return shell(_ADOPT, folder, home)


def release(link: str, home: str) -> Command:
    """Take `adopt` back: the folder at `home` takes the place of the link."""
    return shell(_RELEASE, link, home)


def aside_first(asked: Command, *paths: str) -> Command:
    """Return a command that first renames paths to `PATH.before`; an older one there is kept."""
    words = ("sh", "-euc", _ASIDE, "sh", str(len(paths)), *paths, *asked.words)
    return replace(asked, words=words) if paths else asked


def back(path: str) -> Command:
    """Bring `PATH.before` back where there is one."""
    return shell(_BACK, path)


def remove(*paths: str) -> Command:
    """Remove folders with all that is in them."""
    return command("rm", "-rf", "--", *paths)


def touch(path: str) -> Command:
    """Set the time of a folder to now."""
    return command("touch", "--no-create", "--", path)


def folders(parent: str) -> Command:
    """List the folders directly in a folder, with the time each last changed."""
    direct = ("-mindepth", "1", "-maxdepth", "1", "-type", "d")
    return command("find", parent, *direct, "-printf", "%T@ %f\\n")


def parse_folders(output: str) -> list[str]:
    """Return the names of listed folders, the newest first."""
    rows = [line.split(" ", 1) for line in output.splitlines() if " " in line]
    return [name for _, name in sorted(rows, key=lambda row: (-float(row[0]), row[1]))]


def size(*paths: str) -> Command:
    """Ask for the kibibytes that folders take together."""
    return command("du", "-skc", "--", *paths)


def filled(path: str) -> Command:
    """Succeed where a file, or a folder with something in it, is at the path."""
    return shell('if [ -d "$1" ]; then [ -n "$(ls -A -- "$1")" ]; else [ -s "$1" ]; fi', path)


def links(parent: str) -> Command:
    """List the links directly in a folder."""
    direct = ("-mindepth", "1", "-maxdepth", "1", "-type", "l")
    return command("find", parent, *direct, "-printf", "%f\\n")


def same_disk(path: str, folder: str) -> Command:
    """Succeed where a path can be renamed into a folder, or its nearest parent that is there."""
    script = 'at=$2; while [ ! -e "$at" ]; do at=${at%/*}; at=${at:-/}; done; '
    script += '[ "$(stat -c %d -- "$1")" = "$(stat -c %d -- "$at")" ]'
    return shell(script, path, folder)
