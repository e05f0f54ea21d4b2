"""Commands of the GNU core utilities, of tar and of findutils, and the meaning of their output."""

from __future__ import annotations

from changeover.hosts.command import Command, command, shell

# Root may write everywhere, as far as modes say: attributes (`chattr +i`) and mounts say otherwise.
_ROOM = """
said=yes
if [ ! -w "$1" ]; then said=no
elif lsattr -d -- "$1" "$2" 2>/dev/null | cut -d ' ' -f 1 | grep -q '[ia]'; then said=locked
elif awk -v p="$2" '$5 == p {found = 1} END {exit !found}' /proc/self/mountinfo 2>/dev/null
then said=mounted
fi
echo "$said"
df -Pk -- "$1" | tail -n 1
"""


def room(folder: str, file: str = "") -> Command:
    """Ask whether one may replace a file in a folder, and how much fits there."""
    return shell(_ROOM, folder, file)


def parse_room(output: str) -> tuple[bool, int]:
    """Return whether the folder can be written, and the free KiB of its file system."""
    said, _, line = output.strip().partition("\n")
    return said == "yes", int(line.rsplit(None, 5)[3])


def hindrance(output: str) -> str:
    """Return what keeps a file from being replaced: ``, `no` right, `locked` or `mounted`."""
    said = output.strip().partition("\n")[0]
    return "" if said == "yes" else said


def which(program: str) -> Command:
    """Ask whether a program is there."""
    return shell('command -v "$1"', program)


def account(database: str, name: str) -> Command:
    """Ask whether a user (`passwd`) or a group (`group`) is known."""
    return command("getent", database, name)


def first_file(folder: str) -> Command:
    """Ask for anything in a folder, however deep, that is no folder."""
    return command("find", folder, "-mindepth", "1", "!", "-type", "d", "-print", "-quit")


def remove_empty(folder: str) -> Command:
    """Remove a folder and those in it, as far as there is nothing else in them."""
    return command("find", folder, "-type", "d", "-empty", "-delete")


def fingerprint(folder: str) -> Command:
    """Ask for one digest over a folder: names, kinds, modes, owners, sizes and times in it."""
    return shell(
        'cd "$1" && find . -printf "%P %y %m %u %g %s %T@ %l\\n" | LC_ALL=C sort | sha256sum'
        " && find . -printf . | wc -c && du -sk .",
        folder,
    )


def parse_fingerprint(output: str) -> tuple[str, int, int]:
    """Return the digest, how many entries are in the folder (itself not), and its KiB."""
    digest, count, size = output.strip().splitlines()
    return digest.split()[0], int(count) - 1, int(size.split()[0])


def archive_and_remove(folder: str, archive: str) -> Command:
    """Pack a folder into an archive (root only), then remove it. May be run again after a crash."""
    # Renamed before it is removed, so that a crash never leaves half a folder at its path.
    return shell(
        'umask 077; gone="$1.removed"; if [ -e "$1" ]; then mkdir -p -- "${2%/*}";'
        ' if [ ! -e "$2" ]; then tar -C "${1%/*}/" --numeric-owner -cf "$2.part" -- "${1##*/}";'
        ' sync -- "$2.part"; mv -- "$2.part" "$2"; fi; mv -T -- "$1" "$gone"; fi;'
        ' rm -rf --one-file-system -- "$gone"',
        folder,
        archive,
    )


def unpack(archive: str, folder: str) -> Command:
    """Bring an archived folder back, in one rename. May be run again after a crash."""
    return shell(
        '[ ! -e "$2" ] || exit 0; rm -rf -- "$2.part"; mkdir -- "$2.part";'
        ' tar -C "$2.part" --numeric-owner -xpf "$1"; mv -- "$2.part/${2##*/}" "$2";'
        ' rmdir -- "$2.part"',
        archive,
        folder,
    )


def tail(path: str, lines: int) -> Command:
    """Read the end of a file."""
    return command("tail", "-n", str(lines), "--", path)


def changed(*paths: str) -> Command:
    """Ask when files were changed last, in seconds of the epoch; those not there are left out."""
    return shell('for f; do [ ! -e "$f" ] || stat -c %Z -- "$f"; done', *paths)
