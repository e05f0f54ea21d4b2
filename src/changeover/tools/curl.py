"""Commands of curl. What may be secret (addresses, headers, bodies) goes on standard input."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from changeover.hosts.command import Command, command

MARK = "\n~~changeover~~"


def get(url: str, *, resolve: str = "", ca: str = "", seconds: float = 10.0) -> Command:
    """Ask an address; body and code are told by `parse_answer`."""
    words = ["curl", "-sS", "--noproxy", "*", "--max-time", f"{seconds:g}"]
    words += ["--resolve", _resolved(url, resolve)] if resolve else []
    words += ["--cacert", ca] if ca else []
    return command(*words, "-w", MARK.replace("\n", "\\n") + "%{http_code}", "--", url)


def with_headers(asked: Command, headers: Mapping[str, str]) -> Command:
    """Return a request that carries headers, told on standard input."""
    if not headers:
        return asked
    lines = "".join(f"header = {_quoted(f'{k}: {v}')}\n" for k, v in headers.items())
    words = (asked.words[0], "-K", "-", *asked.words[1:])
    return Command(words, lines.encode())


def post(url: str, body: str, headers: Mapping[str, str]) -> Command:
    """Send a body to an address that may be secret itself; an answer from 400 on is a failure."""
    lines = [f"url = {_quoted(url)}", f"data-raw = {_quoted(body)}"]
    lines += [f"header = {_quoted(f'{k}: {v}')}" for k, v in headers.items()]
    words = ("curl", "-sS", "--fail", "--max-time", "30", "-o", "/dev/null", "-K", "-")
    return Command(words, ("\n".join(lines) + "\n").encode())


def parse_answer(output: str) -> tuple[int, str]:
    """Return the code (0 if there was no answer) and the body."""
    body, _, code = output.rpartition(MARK)
    return (int(code), body) if code.strip().isdigit() else (0, output)


def _resolved(url: str, address: str) -> str:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.hostname}:{port}:{address}"


def _quoted(value: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(c, c) for c in value) + '"'
