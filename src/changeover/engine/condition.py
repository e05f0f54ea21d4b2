"""Whether a `when` holds: what is known of the instance, and what a host is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from changeover.engine.render import Scope
from changeover.errors import InvalidInput
from changeover.hosts.command import Command, command
from changeover.hosts.host import Host
from changeover.model.instance import HostSpec, Instance
from changeover.model.problem import suggestion
from changeover.model.release import Condition
from changeover.sources.versions import is_version, version_range
from changeover.sources.when import asks_host

QUESTION_LIMIT = 60.0
"""Seconds a question to a host may take."""


@dataclass(frozen=True)
class Circumstances:
    """What a condition is judged by."""

    instance: Instance
    scope: Scope
    installed: str = ""
    spec: HostSpec | None = None
    host: Host | None = None
    """The machine to ask; none where only what is known counts."""


def holds(condition: Condition, circumstances: Circumstances) -> bool:
    """Say whether every word of a condition holds; an empty one does.

    Raises `InvalidInput` for an unknown word, and where a host is asked and there is none.
    """
    for word, wanted in condition.items():
        judge = _JUDGES.get(word)
        if judge is None:
            raise InvalidInput(f"when: unknown word `{word}`", suggestion(word, _JUDGES))
        if not judge(wanted, circumstances):
            return False
    return True


def may_hold(condition: Condition, circumstances: Circumstances) -> bool:
    """Say whether a condition holds, as far as it can be known without asking a host."""
    known = {w: v for w, v in condition.items() if w != "all" and not asks_host({w: v})}
    parts = condition.get("all", ())
    try:
        return all(may_hold(part, circumstances) for part in parts) and holds(
            known, replace(circumstances, host=None)
        )
    except InvalidInput:
        # It says what the run will know.
        return True


def left_to_hosts(condition: Condition, scope: Scope) -> str:
    """Return, in words, the part of a condition that only a host can tell."""
    own = {w: v for w, v in condition.items() if w != "all" and asks_host({w: v})}
    parts = [left_to_hosts(part, scope) for part in condition.get("all", ())]
    try:
        said = json.dumps(scope.rendered(own), ensure_ascii=False) if own else ""
    except InvalidInput:
        said = json.dumps(own, ensure_ascii=False)
    return " ".join(filter(None, (said, *parts)))


def _listed(wanted: Any) -> list[str]:
    return [wanted] if isinstance(wanted, str) else list(wanted)


def _method(wanted: Any, known: Circumstances) -> bool:
    return known.instance.method in _listed(wanted)


def _edition(wanted: Any, known: Circumstances) -> bool:
    return known.instance.edition in _listed(wanted)


def _module(wanted: Any, known: Circumstances) -> bool:
    return any(name in known.instance.modules for name in _listed(wanted))


def _modules(wanted: Any, known: Circumstances) -> bool:
    ranges = wanted if isinstance(wanted, Mapping) else dict.fromkeys(_listed(wanted), "")
    there = known.instance.modules
    return all(name in there and _within(there[name], r) for name, r in ranges.items())


def _feature(wanted: Any, known: Circumstances) -> bool:
    return any(name in known.instance.features for name in _listed(wanted))


def _features(wanted: Any, known: Circumstances) -> bool:
    return all(name in known.instance.features for name in _listed(wanted))


def _role(wanted: Any, known: Circumstances) -> bool:
    return known.spec is not None and any(name in known.spec.roles for name in _listed(wanted))


def _host(wanted: Any, known: Circumstances) -> bool:
    return known.spec is not None and known.spec.name in _listed(wanted)


def _installed(wanted: Any, known: Circumstances) -> bool:
    return _within(known.installed, str(wanted))


def _within(version: str, wanted: str) -> bool:
    """Say whether a version is in a range; a commit or a branch is in none but the whole one."""
    if version and not is_version(version):
        return wanted.strip() in ("", "*")
    return version in version_range(wanted)


def _input(wanted: Any, known: Circumstances) -> bool:
    return _equal("inputs", wanted, known)


def _var(wanted: Any, known: Circumstances) -> bool:
    return _equal("vars", wanted, known)


def _equal(name: str, wanted: Mapping[str, Any], known: Circumstances) -> bool:
    there = known.scope.names[name]
    for key, value in wanted.items():
        choices = value if isinstance(value, list) else [value]
        # What nothing defines equals nothing; a release may ask for a variable few have.
        if key not in there or known.scope.rendered(there[key]) not in choices:
            return False
    return True


def _file(wanted: Mapping[str, Any], known: Circumstances) -> bool:
    asked = _rendered(wanted, known)
    state = _machine("file", known).look(asked["path"])
    if not asked.get("exists", True):
        return not state.there
    text = (state.content or b"").decode("utf-8", "replace")
    return state.there and asked.get("contains", "") in text


def _package(wanted: Mapping[str, Any], known: Circumstances) -> bool:
    asked = _rendered(wanted, known)
    version = package_version(_machine("package", known), asked["name"])
    if not asked.get("installed", True):
        return not version
    return bool(version) and _within(version, asked.get("version", ""))


def package_version(host: Host, name: str) -> str:
    """Return the version of an installed package, by dpkg or rpm; empty where it is not."""
    debian = command("dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name)
    asked = host.ask(debian, timeout=QUESTION_LIMIT)
    if asked.ok:
        status, _, version = asked.stdout.strip().partition(" ")
        return version if status == "installed" else ""
    red_hat = host.ask(
        command("rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", name), timeout=QUESTION_LIMIT
    )
    return red_hat.stdout.strip() if red_hat.ok else ""


def _command(wanted: Mapping[str, Any], known: Circumstances) -> bool:
    asked = _rendered(wanted, known)
    words = Command(tuple(map(str, asked["words"])))
    done = _machine("command", known).ask(words, timeout=QUESTION_LIMIT)
    return done.code == asked.get("code", 0) and asked.get("contains", "") in done.stdout


def _rendered(wanted: Mapping[str, Any], known: Circumstances) -> dict[str, Any]:
    asked: dict[str, Any] = known.scope.rendered(wanted, "when")
    return {word: value for word, value in asked.items() if value is not None}


def _machine(word: str, known: Circumstances) -> Host:
    if known.host is None:
        raise InvalidInput(
            f"when: `{word}` asks a host, and here none is meant", "use it in a step or a risk"
        )
    return known.host


def _any(wanted: Any, known: Circumstances) -> bool:
    return any(holds(condition, known) for condition in wanted)


def _all(wanted: Any, known: Circumstances) -> bool:
    return all(holds(condition, known) for condition in wanted)


def _not(wanted: Any, known: Circumstances) -> bool:
    return not holds(wanted, known)


def _expr(wanted: Any, known: Circumstances) -> bool:
    answer = known.scope.rendered(wanted, "when.expr")
    if isinstance(answer, str):
        return answer.strip().lower() not in ("", "false", "no", "0", "none")
    return bool(answer)


_JUDGES: Mapping[str, Callable[[Any, Circumstances], bool]] = {
    "method": _method,
    "edition": _edition,
    "module": _module,
    "modules": _modules,
    "feature": _feature,
    "features": _features,
    "role": _role,
    "host": _host,
    "installed": _installed,
    "input": _input,
    "var": _var,
    "file": _file,
    "package": _package,
    "command": _command,
    "any": _any,
    "all": _all,
    "not": _not,
    "expr": _expr,
}
