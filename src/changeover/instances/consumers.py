"""Programs that read secrets from files: a value is written for each and read back by its rules."""

from __future__ import annotations

import configparser
import io
import logging
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from changeover.sources.yamltext import quoted

MENTIONED = "#$%&;`'\"\\!{}\n"
"""Characters worth naming when a value does not come back."""


@dataclass(frozen=True)
class Consumer:
    """One kind of file."""

    name: str
    careful: Callable[[str], str]
    """Writes a file with the value, escaped as the file wants it."""
    plain: Callable[[str], str]
    """Writes it as people and simple templates do: in double quotes, nothing escaped."""
    read: Callable[[str], str | None]
    """Reads the value back from a file's text; nothing where the file is refused."""

    def takes(self, value: str) -> bool:
        """Say whether a value comes back as it is when it is written with care."""
        return self.read(self.careful(value)) == value

    def takes_plain(self, value: str) -> bool:
        """Say whether it comes back when nobody escaped it."""
        read = _unread_shell if self.read is _shell else self.read
        return read(self.plain(value)) == value


def troublesome(value: str) -> str:
    """Name the characters of a value that files may read otherwise; never the value."""
    found = [c for c in MENTIONED if c in value]
    return " ".join("newline" if c == "\n" else c for c in found) or "its ends"


def _dotenv(text: str) -> str | None:
    read: Any = import_module("dotenv").dotenv_values
    # Its complaint about a line would come beside ours.
    logging.getLogger("dotenv.main").setLevel(logging.CRITICAL)
    found = read(stream=io.StringIO(text))
    return found.get("X") if list(found) == ["X"] else None


def _shell(text: str) -> str | None:
    # The dot keeps newlines at the end, which `$()` and files may lose.
    script = f'{text}printf %s. "$X"\n'
    done = subprocess.run(["sh"], input=script.encode(), capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace")[:-1] if done.returncode == 0 else None


def _unread_shell(text: str) -> str | None:
    """Judge a shell file that nobody escaped by its characters: running it might run a secret."""
    value = text.removeprefix('X="').removesuffix('"\n')
    return None if re.search(r'[$`"\\]', value) else value


def _yaml(text: str) -> str | None:
    yaml: Any = import_module("yaml")
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    value = found.get("X") if isinstance(found, dict) and len(found) == 1 else None
    return value if isinstance(value, str) else None


def _supervisor_written(value: str) -> str:
    """Write `environment=`: `%` doubled, in whichever quotes the value has not."""
    quote = "'" if '"' in value else '"'
    return f"[program:x]\nenvironment=X={quote}{value.replace('%', '%%')}{quote}\n"


def _supervisor(text: str) -> str | None:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    try:
        parser.read_string(text)
        pairs = list(_pairs(parser.get("program:x", "environment") % {}))
    except (configparser.Error, ValueError, TypeError, KeyError):
        return None
    return pairs[0][1] if len(pairs) == 1 and pairs[0][0] == "X" else None


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Split `KEY="value",…` as supervisor does: quotes at both ends go, nothing is escaped."""
    words = shlex.shlex(text)
    words.wordchars += "/.+-():"
    tokens = list(words)
    for at in range(0, len(tokens), 4):
        if len(tokens[at : at + 3]) != 3 or tokens[at + 1] != "=":
            raise ValueError("not pairs")
        yield tokens[at], tokens[at + 2].strip("'\"")


def _nginx(text: str) -> str | None:
    """Read one quoted word; `$` begins a variable there, and nothing escapes it."""
    found = re.fullmatch(r'set \$x "((?:[^"\\]|\\.)*)";\n', text, re.DOTALL)
    if not found or "$" in found[1]:
        return None
    control = {"t": "\t", "r": "\r", "n": "\n"}

    def unescaped(escape: re.Match[str]) -> str:
        return control.get(escape[1], escape[1] if escape[1] in "\"'\\" else escape[0])

    return re.sub(r"\\(.)", unescaped, found[1], flags=re.DOTALL)


def _quoted(value: str) -> str:
    return f'"{value}"'


def _escaped(value: str) -> str:
    return _quoted(re.sub(r'(["\\])', r"\\\1", value))


CONSUMERS = (
    Consumer("dotenv", lambda v: f"X={_escaped(v)}\n", lambda v: f"X={_quoted(v)}\n", _dotenv),
    Consumer("shell", lambda v: f"X={shlex.quote(v)}\n", lambda v: f"X={_quoted(v)}\n", _shell),
    Consumer(
        "supervisor", _supervisor_written,
        lambda v: f"[program:x]\nenvironment=X={_quoted(v)}\n", _supervisor,
    ),
    Consumer("yaml", lambda v: f"X: {quoted(v)}\n", lambda v: f"X: {_quoted(v)}\n", _yaml),
    Consumer(
        "nginx", lambda v: f"set $x {_escaped(v)};\n", lambda v: f"set $x {_quoted(v)};\n", _nginx
    ),
)  # fmt: skip
"""Every kind of file a secret of a deployed platform may end up in."""
