"""Naming every variable that is missing, with the file it belongs in, before anything happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from changeover.errors import InvalidInstance
from changeover.instances.ansible.environment import Environment
from changeover.instances.ansible.jinja import UndefinedVariable
from changeover.instances.ansible.scope import NeedsHost, Scope
from changeover.instances.written import SecretWritten


def refuse_undefined(environment: Environment) -> None:
    """Raise `InvalidInstance` for all that the guide's templates miss, on any host."""
    missing: dict[str, dict[str, str]] = {}
    for host in environment.hosts:
        for error in _missing(environment, environment.variables.scope(host)):
            missing.setdefault(environment.belongs(error.name), {})[error.name] = error.message
    if not missing:
        return
    lines = [f"{environment.folder}: variables are not defined:"]
    facts = [name for names in missing.values() for name in names if name.startswith("ansible_")]
    if facts:
        lines.append(f"  {', '.join(facts)}: not among the facts that hosts are asked for here:"
                     " give the values that need them in changeover.yaml: vars:")  # fmt: skip
    for file, names in missing.items():
        written = [name for name in names if name not in facts]
        if written:
            lines.append(f"  {', '.join(written)}: write {_them(written)} in {file}")
    said = [m for names in missing.values() for n, m in names.items() if m != _plainly(n)]
    lines += [f"  {message}" for message in dict.fromkeys(said) if ": " in message]
    raise InvalidInstance(
        "\n".join(lines), "define them there, or for once: -e NAME=VALUE (secrets: -e @FILE)"
    )


def _missing(environment: Environment, scope: Scope) -> Iterator[UndefinedVariable]:
    """Yield what is undefined; raise what is wrong otherwise."""
    for written in _templates(environment):
        try:
            scope.render(written)
        except NeedsHost:
            continue
        except UndefinedVariable as error:
            yield error


def _templates(environment: Environment) -> Iterator[Any]:
    sections = environment.sections
    yield from (s for s in sections.secrets.values() if not isinstance(s, SecretWritten))
    yield from sections.vars.values()
    yield from sections.inputs.values()
    yield from (value for endpoint in sections.endpoints for value in endpoint.values())


def _them(names: list[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _plainly(name: str) -> str:
    return f"`{name}` is not defined"
