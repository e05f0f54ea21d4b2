"""What a file of blocks means: settings by their first word, in the blocks they stand in."""

from __future__ import annotations

import re

from changeover.merge.formats.linewise import add_repeated
from changeover.merge.tree import Value
from changeover.merge.verdict import Unreadable

SCRIPTS = ("postrotate", "prerotate", "firstaction", "lastaction", "preremove")
"""Open a shell script up to `endscript`: logrotate(8)."""
_TWO_WORDS = {
    "LoadModule", "SetEnv", "Define", "Alias", "ScriptAlias", "AliasMatch", "ErrorDocument",
    "AddType", "AddHandler", "AddCharset", "AddLanguage", "php_value", "php_admin_value",
    "php_flag", "php_admin_flag", "ProxyPass", "ProxyPassReverse", "RewriteRule", "RewriteCond",
    "Redirect", "RedirectMatch", "set",
}  # fmt: skip
_ENTRY = re.compile(r"(?P<key>[^\s=;]+)(?P<sign>[^\S\n]*+=(?![=~])|)(?P<value>.*)\Z", re.DOTALL)
_END = re.compile(r";[^\S\n]*+(?:(?:#|//).*)?\Z")
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\\n])*+\"|'[^'\n]*+'")
_STATEMENT = re.compile(
    r"\s*+(?:(?P<remark>(?:#|//)[^\n]*+|/\*.*?\*/)"
    rf"|(?P<script>(?:{'|'.join(SCRIPTS)})[^\S\n]*+\n(?:[^\n]*+\n)*?[^\S\n]*+endscript)[^\S\n]*+(?:\n|\Z)"
    r"|(?P<line>\S(?:[^\n]*\\\n)*[^\n]*+))",
    re.DOTALL,
)
_CLOSES = re.compile(r"(?:\}\s*+;?|</(?P<tag>\w+)\s*+>)\s*+(?:(?:#|//).*)?\Z")


_PROGRAM = re.compile(
    r".*[\[(]\Z|[\])]|(?:then|do|fi|done|esac)\Z|.*;\s*+(?:then|do)\Z|;;"
    r"|(?:[$@%]\w+\s*+=|(?:sub|my|local|function|def|class|return)\b)"
)
UNNAMED = "{}"
"""The block below logrotate's list of paths, which may change on their own."""


def named(bare: str) -> tuple[str, int]:
    """Return what a setting is called, and where its value begins."""
    found = _ENTRY.match(bare)
    if found is None:
        return bare, len(bare)
    key, place = found["key"], found.start("value")
    second = re.match(r"[^\S\n]+([^\s;]+)", found["value"]) if key in _TWO_WORDS else None
    if second and not found["sign"]:
        return f"{key} {second[1]}", place + second.end()
    return key, place


def cut(value: str) -> tuple[str, str]:
    """Cut a value from the semicolon, the remark and the line's end behind it."""
    body = value.rstrip()
    last = body.rfind("\n") + 1
    found = _END.search(body[last:])
    end = len(body[: last + found.start()].rstrip()) if found else len(body)
    return value[:end], value[end:]


def opened(line: str) -> str | None:
    """Return what a line that opens a block says before its brace; a tag is the whole line."""
    if re.match(r"<[A-Za-z]\w*[\s>]", line):
        return line if line[-1] == ">" else None
    bare = re.sub(r"\{\s*+(?:#|//).*", "{", line)
    if not bare.endswith("{") or re.search(r"[{}#;]", bare[:-1]):
        return None
    return bare[:-1].strip()


def closed(line: str) -> str:
    """Return what a line closes: a tag's name in small letters, `}`, or nothing."""
    found = _CLOSES.match(line)
    return (found["tag"] or "}").lower() if found else ""


def is_program(line: str) -> bool:
    """Return whether a line is that of a script, or of a list over several lines."""
    return bool(_PROGRAM.match(line))


def awaits_brace(line: str, following: str) -> bool:
    """Return whether a line is the header of a block whose brace is on the next line."""
    return opened(following.strip()) == "" and not line.endswith(";") and line[0] not in "/\"'"


def balanced(text: str) -> bool:
    """Return whether each brace outside of quotes is closed."""
    depth = 0
    for sign in re.findall(r"[{}]", _QUOTED.sub("", text)):
        depth += 1 if sign == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def values(text: str) -> Value:
    """Return the settings as nested maps, read with a stack and without the tree."""
    root: dict[str, Value] = {}
    stack: list[tuple[dict[str, Value], str]] = [(root, "")]
    place, header = 0, ""
    while found := _STATEMENT.match(text, place):
        place = found.end()
        if found["script"]:
            _put(stack[-1][0], found["script"].strip())
        elif found["line"]:
            line = found["line"].replace("\\\n", " ").strip()
            if line in SCRIPTS or line.startswith("/*") or is_program(line):
                raise _fail(text, place, "a script, a list or a remark over several lines")
            waits = awaits_brace(line, text[place + 1 : place + 400].partition("\n")[0])
            _take(stack, line, header, waits=waits)
            header = line if waits else ""
    if len(stack) != 1:
        raise _fail(text, len(text), "a block is not closed")
    return root


def _take(
    stack: list[tuple[dict[str, Value], str]], line: str, header: str, *, waits: bool
) -> None:
    """Open or close a block, or put a setting; a header that waits for its brace is neither."""
    name = opened(line)
    if name is not None:
        inner: dict[str, Value] = {}
        add_repeated(stack[-1][0], " ".join((name or header or UNNAMED).split()), inner)
        tag = re.match(r"<(\w+)", line)
        stack.append((inner, tag[1].lower() if tag else "}"))
    elif closed(line):
        if stack.pop()[1] != closed(line):
            raise Unreadable(f"not blocks of lines: {line[:60]!r} closes nothing")
    elif not waits:
        _put(stack[-1][0], line)


def _fail(text: str, place: int, what: str) -> Unreadable:
    return Unreadable(f"not blocks of lines: {what}", text.count("\n", 0, place) + 1)


def _put(place: dict[str, Value], line: str) -> None:
    key, value_at = named(line)
    add_repeated(place, key, " ".join(cut(line[value_at:])[0].split()))
