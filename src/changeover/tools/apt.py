"""Commands of apt and dpkg, and the meaning of their output: the package manager of Debian."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from changeover.hosts.command import Command, command, shell
from changeover.tools.packages import Choice, Move

# Nobody is asked anything; files people edited stay; needrestart and listchanges keep quiet.
QUIET = {
    "DEBIAN_FRONTEND": "noninteractive",
    "DEBIAN_PRIORITY": "critical",
    "APT_LISTCHANGES_FRONTEND": "none",
    "NEEDRESTART_SUSPEND": "1",
    "NEEDRESTART_MODE": "l",
    "UCF_FORCE_CONFFOLD": "1",
    "LC_ALL": "C",
}
OPTIONS = (
    "-q", "-y",
    "-o", "DPkg::Lock::Timeout=300",
    "-o", "Dpkg::Options::=--force-confdef",
    "-o", "Dpkg::Options::=--force-confold",
)  # fmt: skip

# While apt works, the packages' scripts may start what is new and stop what goes, and may not
# restart what runs. A policy left behind by a crash means nothing once this shell is gone.
HOLDING = r"""
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ] || grep -q changeover "$policy"; then
    trap 'rm -f "$policy"' EXIT
    cat >"$policy" <<END
#!/bin/sh
# Written by changeover while it installs packages; says yes to all once process $$ has ended.
[ -d /proc/$$ ] || exit 0
while [ "\${1#--}" != "\$1" ]; do shift; done
case \$2 in *restart*|*reload*|upgrade) exit 101 ;; esac
exit 0
END
    chmod 755 "$policy"
fi
"""
# A host that crashed in the middle of an installation refuses the next one until this is done.
MENDING = 'dpkg --force-confdef --force-confold --configure -a; "$@"'


class Apt:
    """The package manager of Debian and its kin."""

    program = "apt-get"

    def versions(self, names: Iterable[str]) -> Command:
        """Ask dpkg which versions are installed."""
        form = "${Package}\t${db:Status-Status}\t${Version}\n"
        return command("dpkg-query", "-W", "-f", form, *names)

    def parse_versions(self, output: str) -> Mapping[str, str]:
        """Return name -> version; what was removed and left its configuration does not count."""
        rows = (line.split("\t") for line in output.splitlines())
        return {row[0]: row[2] for row in rows if len(row) == 3 and row[1] == "installed"}

    def provided(self) -> Command:
        """Ask dpkg which names the installed packages provide."""
        return command("dpkg-query", "-W", "-f", "${db:Status-Status}\t${Provides}\n")

    def parse_provided(self, output: str) -> set[str]:
        """Return the names, without the versions some are provided in."""
        rows = (line.partition("\t") for line in output.splitlines())
        told = ",".join(names for status, _, names in rows if status == "installed")
        return {word[0] for name in told.split(",") if (word := name.split())}

    def refresh(self) -> Command:
        """Fetch the lists; a source that fails is a failure."""
        return _quietly(
            "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Update::Error-Mode=any",
            "update",
        )  # fmt: skip

    def rehearse(self, packages: Iterable[str], choice: Choice) -> Command:
        """Have apt say what installing would do; nobody need be root for it."""
        return _quietly("apt-get", "-s", "-q", "-y", *_flags(choice), "install", *packages)

    def rehearse_removal(self, names: Iterable[str]) -> Command:
        """Have apt say what removing would do."""
        return _quietly("apt-get", "-s", "-q", "-y", "remove", *names)

    def parse_moves(self, output: str) -> list[Move]:
        """Return the packages of its `Inst` and `Remv` lines."""
        return [move for line in output.splitlines() if (move := _move(line))]

    def install(self, packages: Iterable[str], choice: Choice) -> Command:
        """Install, after finishing what a crash may have left half done."""
        words = ("apt-get", *OPTIONS, *_flags(choice), "install", *packages)
        script = MENDING if choice.restarts else HOLDING + MENDING
        return replace(shell(script, *words), env=QUIET)

    def remove(self, names: Iterable[str], *, purge: bool) -> Command:
        """Remove; what was installed for these packages alone stays."""
        words = ("apt-get", *OPTIONS, "purge" if purge else "remove", *names)
        return replace(shell(MENDING, *words), env=QUIET)

    def save(self, packages: Iterable[str], folder: str) -> Command:
        """Fetch packages into a folder, each as far as it can still be had."""
        # apt writes as root here: its own user may not enter the folder.
        script = (
            'umask 077; mkdir -p -- "$1"; cd -- "$1"; shift;'
            ' for p; do apt-get -q -o APT::Sandbox::User=root download "$p" || :; done'
        )
        return replace(shell(script, folder, *packages), env=QUIET)

    def saved(self, folder: str) -> Command:
        """List the packages in a folder."""
        script = (
            'for f in "$1"/*.deb; do [ -e "$f" ] || exit 0;'
            " dpkg-deb --showformat='${Package}=${Version}\\t' -W \"$f\";"
            " printf '%s\\n' \"$f\"; done"
        )
        return shell(script, folder)

    def parse_saved(self, output: str) -> Mapping[str, str]:
        """Return `name=version` -> file."""
        rows = (line.partition("\t") for line in output.splitlines())
        return {package: file for package, _, file in rows if file}

    def offered(self, names: Iterable[str]) -> Command:
        """Ask which versions the sources have."""
        return command("apt-cache", "madison", *names)

    def parse_offered(self, output: str) -> set[str]:
        """Return all `name=version`."""
        rows = ([cell.strip() for cell in line.split("|")] for line in output.splitlines())
        return {f"{row[0]}={row[1]}" for row in rows if len(row) == 3}


def _quietly(*words: str) -> Command:
    return replace(command(*words), env=QUIET)


def _flags(choice: Choice) -> list[str]:
    chosen = (
        ("--no-install-recommends", not choice.recommends),
        ("--allow-downgrades", choice.downgrades),
        ("--no-remove", not choice.removals),
    )
    return [flag for flag, wanted in chosen if wanted]


def _move(line: str) -> Move | None:
    if found := re.match(r"Inst (\S+?)(?::\S+)? (?:\[(\S+)\] )?\((\S+) ", line):
        return Move(found[1], found[2] or "", found[3])
    if found := re.match(r"Remv (\S+?)(?::\S+)? \[(\S+)\]", line):
        return Move(found[1], found[2], "")
    return None
