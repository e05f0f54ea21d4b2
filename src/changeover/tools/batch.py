"""Many questions to a host in one request: they run side by side, and nothing waits for another.

What one reads on its standard input goes through a pipe, never a file or a word; what they print
is kept in memory for the moment, so that a full disk does not silence them.
"""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from changeover.hosts.command import Command, Completed

MARK = "~~answer"
OPENING = """\
umask 077
for at in /dev/shm /run "${TMPDIR:-/tmp}"; do
    work=$(mktemp -d "$at/changeover.XXXXXXXX" 2>/dev/null) && break
done
[ -n "$work" ] || exit
trap 'rm -rf "$work"' EXIT
own=$(id -un)
fed() { fed=$(head -c "$1"; echo .); fed=${fed%.}; }
as() {
    who=$1; shift
    if [ "$who" = "$own" ]; then "$@"
    elif [ "$own" = root ]; then runuser -u "$who" -- "$@"
    else sudo -n -u "$who" -- "$@"; fi
}
ended() { printf '%s' "$2" >"$work/$1.code"; }
"""
CLOSING = """\
wait
n=0
while [ -f "$work/$n.code" ]; do
    out=$(wc -c <"$work/$n.out"); err=$(wc -c <"$work/$n.err")
    echo "~~answer $(cat "$work/$n.code") $((out)) $((err))"
    cat "$work/$n.out" "$work/$n.err"
    echo
    n=$((n + 1))
done
"""


def batch(questions: Mapping[str, Command], *, each: float = 12.0) -> Command:
    """Build one command that asks many things at once; no answer takes longer than `each` s."""
    asked = list(questions.values())
    lines = [_line(number, one, each) for number, one in enumerate(asked)]
    script = "".join([OPENING, *lines, CLOSING]).encode()
    fed = b"".join(one.stdin for one in asked)
    loader = 'read -r n && eval "$(head -c "$n")"'
    words = ("sh", "-uc", loader, "questions")
    return Command(
        words, b"%d\n%s%s" % (len(script), script, fed), label=f"{len(asked)} questions at once"
    )


def parse_batch(questions: Mapping[str, Command], output: str) -> dict[str, Completed]:
    """Return the answers by name; a question without one counts as never asked (code 124)."""
    rest = output.encode()
    found = []
    while rest.startswith(MARK.encode()):
        head, _, rest = rest.partition(b"\n")
        code, out, err = (int(word) for word in head.split()[1:])
        said, wrong = rest[:out], rest[out : out + err]
        found.append(Completed(code, said.decode(errors="replace"), wrong.decode(errors="replace")))
        rest = rest[out + err + 1 :]
    found += [Completed(124)] * (len(questions) - len(found))
    return dict(zip(questions, found, strict=True))


def _line(number: int, asked: Command, each: float) -> str:
    """Run one in the background; a pipe feeds it, and its exit code is kept."""
    place = f"cd {quote(asked.cwd)} && " if asked.cwd else ""
    words = " ".join(map(quote, ("timeout", "-k", "1", f"{each:g}", *asked.words)))
    settings = "".join(f"{name}={quote(value)} " for name, value in asked.env.items())
    start = f"as {quote(asked.user)} " if asked.user else ""
    run = f"{start}env {settings}{words}"
    kept = f'>"$work/{number}.out" 2>"$work/{number}.err"'
    if not asked.stdin:
        return f"({{ {place}{run}; }} </dev/null {kept}; ended {number} $?) &\n"
    return (
        f"fed {len(asked.stdin)}\n"
        f"(printf '%s' \"$fed\" | {{ {place}{run}; }} {kept}; ended {number} $?) &\n"
    )
