"""Replacing a file so that everything about it but its content stays."""

from __future__ import annotations

from dataclasses import replace

from changeover.hosts.command import Command, command, shell

# The name begins with a dot, so that no `include conf.d/*` reads what is half written.
_REPLACE = """
path=$1
fresh=$(mktemp "${path%/*}/.${path##*/}.XXXXXXXX")
trap 'rm -f -- "$fresh"' EXIT
cat >"$fresh"
cp --attributes-only --preserve=all -- "$path" "$fresh"
touch -- "$fresh"
sync -- "$fresh"
mv -T -- "$fresh" "$path"
sync -- "${path%/*}"
"""


def replace_content(path: str, content: bytes) -> Command:
    """Give a file another content in one rename; owner, mode, ACLs and labels stay."""
    asked = shell(_REPLACE, path, stdin=content)
    return replace(asked, label=f"replace the content of {path}")


def real_path(path: str) -> Command:
    """Ask where a path leads once its links are followed."""
    return command("readlink", "-e", "--", path)
