"""Where ansible-core up to 2.18 and 2.19 read an environment in two ways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from changeover.errors import InvalidInput
from changeover.instances.ansible.environment import Environment
from changeover.instances.ansible.jinja import Style, is_template
from changeover.instances.ansible.scope import NeedsHost, Scope
from changeover.model.findings import Finding, failed, warned

_FAILS = object()


def difference_findings(environment: Environment) -> Iterator[Finding]:
    """Yield what means one thing to one Ansible and another, or nothing, to the next."""
    recipe = environment.recognized[1]
    for host in environment.hosts:
        new = environment.variables.scope(host)
        old = environment.variables.scope(host, Style.TEXT)
        booleans = recipe.booleans if recipe else []
        found = [*_conditions(new, booleans), *_values(new, old)]
        yield from (replace(finding, host=host) for finding in found)


def _conditions(scope: Scope, booleans: list[str]) -> Iterator[Finding]:
    for name in booleans:
        value = _tried(scope, name)
        if name in scope and value is not _FAILS and not isinstance(value, bool):
            meaning = "true" if value else "false"
            finding = failed(
                f"{scope.place(name)}: {name} is {_kind(value)}, not true or false: up to "
                f"ansible-core 2.18 a condition takes it as {meaning}, 2.19 refuses it",
                f"give a boolean: -e '{{\"{name}\": false}}', or {name}: false in a file",
            )
            yield replace(finding, name=f"boolean-{name}")


def _values(new: Scope, old: Scope) -> Iterator[Finding]:
    for name in new:
        written = new.written(name)
        if not isinstance(written, str) or not is_template(written):
            continue
        now, then = _tried(new, name), _tried(old, name)
        if not _alike(now, then):
            yield warned(
                f"{new.place(name)}: {name} is {_kind(then)} up to ansible-core 2.18 and "
                f"{_kind(now)} from 2.19; here it is read as 2.19 does",
                "write it so that both agree, for instance with | bool, | int or | from_json",
            )


def _tried(scope: Scope, name: str) -> Any:
    try:
        return scope[name]
    except NeedsHost:
        return None
    except (InvalidInput, KeyError):
        return _FAILS


def _alike(one: Any, other: Any) -> bool:
    if one is _FAILS or other is _FAILS:
        return one is other
    both_structured = isinstance(one, list | dict | bool) == isinstance(other, list | dict | bool)
    return one == other or (both_structured and _text(one) == _text(other))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _kind(value: Any) -> str:
    if value is _FAILS:
        return "an error"
    names = {bool: "a boolean", str: "text", dict: "a mapping", list: "a list", int: "a number",
             float: "a number", type(None): "nothing"}  # fmt: skip
    return names.get(type(value), "something else")
