"""Having a program judge a file before it is put in place: on a copy, with the tree around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from changeover.hosts.command import Command, shell

# What is absolute in the copied tree would lead out of it, and judge the files of now: links and
# mentions of the tree are turned to the copy.
_TRIAL = """
umask 077
room=$1 tree=$2 inside=$3
shift 3
rm -rf -- "$room"
mkdir -p -- "$room"
trap 'rm -rf -- "$room"' EXIT
if [ -z "$tree" ]; then
    cat >"$room/$inside"
else
    copy=$room/tree
    cp -a -- "$tree" "$copy"
    mkdir -p -- "$(dirname -- "$copy/$inside")"
    rm -f -- "$copy/$inside"
    cat >"$copy/$inside"
    find "$copy" -type l -lname "$tree/*" | while IFS= read -r link; do
        to=$(readlink -- "$link")
        ln -sfn -- "$copy${to#"$tree"}" "$link"
    done
    from=$(printf '%s/' "$tree" | sed 's/[][\\.*^$|]/\\\\&/g')
    to=$(printf '%s/' "$copy" | sed 's/[\\&|]/\\\\&/g')
    grep -rlIF -- "$tree/" "$copy" | while IFS= read -r file; do
        sed -i "s|$from|$to|g" "$file"
    done || true
fi
"$@"
"""


def copy_of(room: str, path: str, tree: str) -> str:
    """Return where the copy of a file stands in the room of a trial."""
    return f"{room}/tree{path.removeprefix(tree)}" if tree else f"{room}/{path.rpartition('/')[2]}"


def judged(words: Sequence[str], content: bytes, path: str, room: str, tree: str = "") -> Command:
    """Have a command judge a content as it would be at `path`; `room` is there only meanwhile.

    In the words `{}` is the copy of the file, `{tree}` the copy of the folder `tree`.
    """
    copy = copy_of(room, path, tree)
    inside = copy.removeprefix(f"{room}/tree/" if tree else f"{room}/")
    told = [word.replace("{tree}", f"{room}/tree").replace("{}", copy) for word in words]
    asked = shell(_TRIAL, room, tree, inside, *told, stdin=content)
    return replace(asked, label=f"have {words[0]} judge {path}")
