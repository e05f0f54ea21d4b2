"""Having a program judge a file before it is put in place: on a copy, with the tree around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from changeover.hosts.command import Command, shell

# What is absolute in the copied tree would lead out of it, and judge the files of now: links and
# mentions of the tree are turned to the copy.
_TRIAL = """
umask 077
room=$1 tree=$2 inside=$3 laid=$4
shift 4
rm -rf -- "$room"
mkdir -p -- "$room"
trap 'rm -rf -- "$room"' EXIT
if [ -z "$tree" ]; then
    cat >"$room/$inside"
else
    copy=$room/tree
    cp -a -- "$tree" "$copy"
    tab=$(printf '\\t')
    exec 5<&0
    while IFS=$tab read -r kind at told; do
        [ -n "$kind" ] || continue
        rm -rf -- "$copy/$at"
        [ "$kind" != absent ] || continue
        mkdir -p -- "$(dirname -- "$copy/$at")"
        if [ "$kind" = link ]; then ln -s -- "$told" "$copy/$at"; continue; fi
        head -c "$told" <&5 >"$copy/$at"
    done <<END
$laid
END
    exec 5<&-
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


@dataclass(frozen=True)
class Laid:
    """A path of the copied tree that is to be otherwise than on the host."""

    kind: Literal["file", "link", "absent"]
    inside: str
    """The path, from the tree."""
    target: str = ""
    content: bytes = b""


@dataclass(frozen=True)
class Tree:
    """The folder a file is judged in, empty where the file alone is; and what differs in it."""

    folder: str = ""
    laid: tuple[Laid, ...] = ()


ALONE = Tree()


def copy_of(room: str, path: str, tree: str) -> str:
    """Return where the copy of a file stands in the room of a trial."""
    return f"{room}/tree{path.removeprefix(tree)}" if tree else f"{room}/{path.rpartition('/')[2]}"


def judged(
    words: Sequence[str], content: bytes, path: str, room: str, around: Tree = ALONE
) -> Command:
    """Have a command judge a content as it would be at `path`; `room` is there only meanwhile.

    In the words `{}` is the copy of the file, `{tree}` the copy of the folder around it.
    """
    tree = around.folder
    copy = copy_of(room, path, tree)
    inside = copy.removeprefix(f"{room}/tree/" if tree else f"{room}/")
    told = [word.replace("{tree}", f"{room}/tree").replace("{}", copy) for word in words]
    laid = (
        *(one for one in around.laid if one.inside != inside),
        Laid("file", inside, "", content),
    )
    listed = "\n".join(
        f"{one.kind}\t{one.inside}\t{one.target or len(one.content)}" for one in laid
    )
    sent = b"".join(one.content for one in laid)
    asked = shell(_TRIAL, room, tree, inside, listed, *told, stdin=sent)
    return replace(asked, label=f"have {words[0]} judge {path}")
