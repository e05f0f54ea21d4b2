"""What an nginx configuration means: directives by the words that identify them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from changeover.merge.formats.linewise import add_repeated
from changeover.merge.tree import Key, Value
from changeover.merge.values import Meaning
from changeover.merge.verdict import Note, Unreadable, shown_path

TOKEN = re.compile(
    r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"
    r"|(?:\\.|\$\{|[^\s;{}\"'\\#])(?:\\.|\$\{[^}]*\}|[^\s;{\\])*",
    re.DOTALL,
)
_WORD_OR_SIGN = re.compile(
    rf"(?:\s++|#[^\n]*+)*+(?:(?P<sign>[;{{}}])|(?P<word>{TOKEN.pattern})|(?P<end>\Z))", re.DOTALL
)
LITERAL_BLOCKS = ("_by_lua_block",)
_BY_FIRST = {
    "add_header", "add_trailer", "proxy_set_header", "proxy_hide_header", "proxy_pass_header",
    "grpc_set_header", "fastcgi_param", "uwsgi_param", "scgi_param", "set", "env", "log_format",
    "allow", "deny", "listen", "include", "rewrite", "sub_filter", "load_module",
    "proxy_cache_path", "limit_req_zone", "limit_conn_zone", "limit_req", "limit_conn",
    "error_page", "more_set_headers", "more_clear_headers", "js_import", "auth_request_set",
    "set_real_ip_from", "proxy_cache_valid", "fastcgi_hide_header", "split_clients",
}  # fmt: skip
_TABLES = {"map", "geo", "types", "split_clients", "charset_map"}
_SEQUENTIAL = ("rewrite", "if", "set", "return", "break", "allow", "deny", "location ~")
_HEADERS = ("add_header", "proxy_set_header")


def key_of(words: Sequence[str], parent: str, *, nested: bool) -> tuple[Key, str | None, int]:
    """Return a directive's key or group, and how many words after the name belong to it."""
    name = words[0]
    if nested:
        shown = " ".join(_location(words) if name == "location" else words)
        return (), shown, len(words) - 1
    first = name in _BY_FIRST or (name == "server" and parent == "upstream")
    if first and parent not in _TABLES and len(words) > 1:
        return (), f"{name} {words[1]}", 1
    return (), name, 0


def _location(words: Sequence[str]) -> Sequence[str]:
    """Write a location's modifier apart from its path, and an unneeded quote away."""
    rest = "".join(words[1:])
    found = re.match(r"(=|~\*|~|\^~)?(.*)", rest, re.DOTALL)
    modifier, path = (found.group(1), found.group(2)) if found else (None, rest)
    return [words[0], modifier, path] if modifier else [words[0], path]


def values(text: str) -> Value:
    """Return the directives as nested maps, read with a stack and without the tree."""
    root: dict[str, Value] = {}
    stack: list[tuple[dict[str, Value], str]] = [(root, "")]
    words: list[str] = []
    place = 0
    while found := _WORD_OR_SIGN.match(text, place):
        place = found.end()
        if found.lastgroup == "word":
            words.append(found["word"])
        elif found.lastgroup == "sign":
            place = _structure(text, place - 1, words, stack)
            words = []
        else:
            break
    if place < len(text):
        raise _fail(text, place, "a quote is not closed")
    if len(stack) != 1 or words:
        raise Unreadable("not nginx: it ends inside a directive", text.count("\n"))
    return root


def _structure(
    text: str, place: int, words: list[str], stack: list[tuple[dict[str, Value], str]]
) -> int:
    current, parent = stack[-1]
    if text[place] == "}":
        if words or len(stack) == 1:
            raise _fail(text, place, "an unexpected closing brace")
        stack.pop()
        return place + 1
    if not words:
        raise _fail(text, place, "a directive without a name")
    _, name, skipped = key_of(words, parent, nested=text[place] == "{")
    name = name or words[0]
    if text[place] == ";":
        add_repeated(current, name, " ".join(words[1 + skipped :]))
    elif words[0].endswith(LITERAL_BLOCKS):
        end = balanced(text, place)
        add_repeated(current, name, text[place:end])
        return end
    else:
        inner: dict[str, Value] = {}
        add_repeated(current, name, inner)
        stack.append((inner, words[0]))
    return place + 1


def _fail(text: str, place: int, what: str) -> Unreadable:
    return Unreadable(f"not nginx: {what}", text.count("\n", 0, place) + 1)


_LUA = re.compile(
    r"(?:--)?\[(?P<level>=*)\[.*?\](?P=level)\]|--[^\n]*|\"(?:\\.|[^\"\\\n])*+\"|'(?:\\.|[^'\\\n])*+'"
    r"|(?P<brace>[{}])|(?P<cut>[\"']|\[=*\[)",
    re.DOTALL,
)


def balanced(text: str, place: int) -> int:
    """Return where the block of Lua that opens at a place ends; raises `Unreadable`."""
    depth = 0
    for found in _LUA.finditer(text, place):
        if found["cut"]:
            raise _fail(text, found.start(), "a text in Lua is not closed")
        depth += {"{": 1, "}": -1}.get(found["brace"] or "", 0)
        if depth == 0 and found["brace"]:
            return found.end()
    raise _fail(text, place, "a brace is not closed")


def nginx_meaning() -> Meaning:
    """Return what nginx adds to plain values."""
    return Meaning(ordered=_order_matters, repeats=True)


def _order_matters(path: Key, keys: Sequence[str]) -> bool:
    return any(_sequential(key) for key in keys)


def _sequential(key: str) -> bool:
    return any(key == name or key.startswith(name + " ") or (
        name.endswith("~") and key.startswith(name)) for name in _SEQUENTIAL)  # fmt: skip


def silenced_headers(result: Value, ours: Value, theirs: Value) -> list[Note]:
    """Note headers set here that a header new in an inner block cancels."""
    return [
        Note(shown_path(path), f"the reference's `{name}` here cancels the ones set further out")
        for path, name in _silenced(result, ours, (), {})
    ]


def _silenced(
    value: Value, ours: Value | None, path: Key, outer: dict[str, bool]
) -> Iterator[tuple[Key, str]]:
    if not isinstance(value, dict):
        return
    mine = ours if isinstance(ours, dict) else {}
    for kind in _HEADERS:
        here = [key for key in value if key.startswith(kind + " ")]
        had = any(key.startswith(kind + " ") for key in mine)
        if here and outer.get(kind) and not had:
            yield path, here[0]
    seen = {
        kind: outer.get(kind, False) or any(key.startswith(kind + " ") for key in mine)
        for kind in _HEADERS
    }
    for key, inner in value.items():
        elements = inner if isinstance(inner, list) else [inner]
        known = mine.get(key)
        others = known if isinstance(known, list) else [known]
        for number, element in enumerate(elements):
            other = others[number] if number < len(others) else None
            yield from _silenced(element, other, (*path, key), seen)
