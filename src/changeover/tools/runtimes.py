"""Finding the Pythons and Nodes of a host, bringing another one, and letting old ones go."""

from __future__ import annotations

import re
import shlex

from changeover.hosts.command import Command, command, shell

# The login's HOME, not the one a shell over SSH may have been given.
_HOME = 'home=$(getent passwd "$(id -u)" | cut -d: -f6)'
_EACH = """
for p; do
    case $p in *-config) continue ;; esac
    [ -x "$p" ] && v=$("$p" --version 2>/dev/null) && echo "${v##* } $p"
done; :
"""
_PYTHONS = f"""{_HOME}
set -- /usr/bin/python3.[0-9]* "$home"/.pyenv/versions/*/bin/python3 "$1"/*/bin/python3
{_EACH}"""
_NODES = f"""{_HOME}
set -- /usr/bin/node "$home"/.nvm/versions/node/*/bin/node "$1"/*/bin/node
{_EACH}"""

_UV = """
home=$1 version=$2
uv=$(command -v uv) || uv=$home/uv/bin/uv
if [ ! -x "$uv" ]; then
    python3 -m venv --clear "$home/uv"
    "$home/uv/bin/python" -m pip install -q --no-input --disable-pip-version-check uv
    uv=$home/uv/bin/uv
fi
new=$home/.new; rm -rf -- "$new"
"$uv" python install --quiet --no-bin --install-dir "$new" "$version" </dev/null >&2
for made in "$new"/*/; do
    [ ! -L "${made%/}" ] || continue
    at=$("$made/bin/python3" -c 'import platform; print(platform.python_version())')
    : >"$made/.changeover-brought"
    rm -rf -- "$home/$at"; mv -T -- "${made%/}" "$home/$at"
done
rm -rf -- "$new"
"""

# Debian's Node trusts the host's authorities; one that npm brought knows its own alone.
_NPM = """
home=$1 version=$2 npm=$3
own=/etc/ssl/certs/ca-certificates.crt
[ ! -f "$own" ] || export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-$own}"
new=$home/.new; rm -rf -- "$new"; mkdir -p -- "$new"
npm install --prefix "$new" --no-audit --no-fund --loglevel=error --no-update-notifier \\
    "node@$version" "npm@$npm" </dev/null >&2
at=$("$new/node_modules/node/bin/node" --version); at=${at#v}
mkdir -p -- "$new/bin"
ln -sfn ../node_modules/node/bin/node "$new/bin/node"
ln -sfn ../node_modules/npm/bin/npm-cli.js "$new/bin/npm"
: >"$new/.changeover-brought"
rm -rf -- "$home/$at"; mv -T -- "$new" "$home/$at"
"""

# Only what was brought goes. In use is what runs, what a link leads into, what a file names.
_UNUSED = """
homes=$1; links=$2; shift 2
used=$(
    readlink -f /proc/[0-9]*/exe 2>/dev/null || :
    for f; do [ ! -f "$f" ] || cat -- "$f"; done
    eval "set -- $links"; for l; do readlink -f -- "$l" 2>/dev/null || :; done
)
eval "set -- $homes"
for home; do
    for at in "$home"/[0-9v]*/; do
        at=${at%/}
        [ -e "$at/.changeover-brought" ] && [ ! -L "$at" ] || continue
        case "$used" in *"$(readlink -f -- "$at")/"*) ;; *) echo "$at" ;; esac
    done
done
"""


def pythons(home: str) -> Command:
    """List the Pythons of a host: those of the distribution, of pyenv, and below a folder."""
    return shell(_PYTHONS, home)


def nodes(home: str) -> Command:
    """List the Nodes of a host: that of the distribution, those of nvm, and below a folder."""
    return shell(_NODES, home)


def parse_programs(output: str) -> dict[str, str]:
    """Return path -> version, in the order found, each place once."""
    rows = (line.split(" ", 1) for line in output.splitlines() if " " in line)
    return {path: version.removeprefix("v") for version, path in rows}


def bring_python(home: str, version: str) -> Command:
    """Bring a Python with uv into `HOME/VERSION`; uv itself comes from the package index."""
    return shell(_UV, home, version)


def bring_node(home: str, version: str, npm: str) -> Command:
    """Bring npm's package `node`, and an npm, into `HOME/VERSION`."""
    return shell(_NPM, home, version, npm)


def unused(homes: tuple[str, ...], links: tuple[str, ...], files: tuple[str, ...]) -> Command:
    """List versions brought here that nothing runs from, no link leads into and no file names.

    Files are patterns of the shell, such as `/srv/releases/*/venv/pyvenv.cfg`.
    """
    words = " ".join(map(shlex.quote, homes)), " ".join(map(shlex.quote, links))
    patterns = " ".join(re.sub(r"([^\w./*@%+-])", r"\\\1", file) for file in files)
    return shell(f'eval set -- \'"$1"\' \'"$2"\' "$3"\n{_UNUSED}', *words, patterns)


def remove(*folders: str) -> Command:
    """Remove folders of versions."""
    return command("rm", "-rf", "--one-file-system", "--", *folders)
