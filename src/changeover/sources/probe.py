"""How the installed version of a product is read on its hosts, as releases write it."""

from __future__ import annotations

import re
from typing import Any

from changeover.sources.checked import refused

KINDS = {"command": "words", "file": "path", "git": "folder", "package": "name"}
"""What can be asked, and the parameter its short form stands for: `{file: /opt/VERSION}`."""

OPTIONAL = {"pattern", "on", "user"}
"""`pattern`: a regular expression whose first group is the version; `on`: a role or a host."""


def normal_probe(written: dict[str, Any]) -> dict[str, Any]:
    """Return `{use, with}`, or `{by_method: {method: {use, with}}}`; raise where it is neither."""
    if "use" in written or any(kind in written for kind in KINDS):
        return _question(written)
    if written and all(isinstance(v, dict) for v in written.values()):
        return {"by_method": {method: _question(v) for method, v in written.items()}}
    if not written:
        return {}
    raise refused(f"asks nothing known: {', '.join(written)}", _REMEDY)


_REMEDY = "write {file: /path}, {package: name}, {git: /folder} or {command: [words]}"


def _question(written: dict[str, Any]) -> dict[str, Any]:
    kind = str(written.get("use") or next((k for k in KINDS if k in written), ""))
    if kind not in KINDS:
        raise refused(f"`{kind or ', '.join(written)}` cannot be asked", _REMEDY)
    main = KINDS[kind]
    params = dict(written.get("with") or {}) if isinstance(written.get("with"), dict) else {}
    params |= {k: v for k, v in written.items() if k not in ("use", "with", kind)}
    if kind in written:
        params[main] = written[kind]
    unknown = set(params) - OPTIONAL - {main}
    if unknown or main not in params:
        wrong = f"unknown {sorted(unknown)[0]}" if unknown else f"`{main}` is missing"
        raise refused(f"{kind}: {wrong}", f"write {{use: {kind}, {main}: ...}}")
    words = params[main] if kind == "command" else [params[main]]
    if not isinstance(words, list) or not words or not all(isinstance(w, str) for w in words):
        raise refused(f"{kind}: `{main}` must be text", _REMEDY)
    for name in sorted(OPTIONAL & set(params)):
        _refuse_option(kind, name, params[name])
    return {"use": kind, "with": params}


def _refuse_option(kind: str, name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise refused(f"{kind}: `{name}` must be text", "write it in quotes")
    if name == "pattern":
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            why = f"{kind}: `pattern` is not a regular expression: {error}"
            raise refused(why, "correct the pattern") from None
