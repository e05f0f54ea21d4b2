"""From an Ansible environment to an `Instance`, its secrets and what is worth a word about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from changeover.errors import InvalidInput, InvalidInstance
from changeover.instances.ansible.differences import difference_findings
from changeover.instances.ansible.environment import Environment
from changeover.instances.ansible.mapped import Mapped
from changeover.instances.ansible.masked import texts_in
from changeover.instances.ansible.recipe import HostExtraWritten
from changeover.instances.ansible.remarks import once_for_all, remarks_on
from changeover.instances.ansible.undefined import refuse_undefined
from changeover.instances.given import NOTHING, Given
from changeover.instances.resources import resources_of
from changeover.instances.secrets import Learner, Reference, Secrets, unheard
from changeover.instances.site import made_site_step, reference_of
from changeover.instances.written import EndpointWritten, SecretWritten
from changeover.model.instance import Endpoint, HostSpec, Instance
from changeover.model.release import Where

BECOME = "ansible_become_password"
"""The secret with the password for sudo; of each host, where there are several."""


def open_environment(
    path: Path, learn: Learner = unheard, given: Given = NOTHING
) -> tuple[Instance, Secrets]:
    """Read an environment; raises `InvalidInstance` with every undefined variable at once."""
    environment = Environment(path, given, learn)
    with given.facts.unasked():
        environment.learn_secrets()
        environment.refuse_told_secrets()
        if not given.incomplete:
            refuse_undefined(environment)
        return _instance(environment, given), _secrets(environment, learn)


def _instance(environment: Environment, given: Given) -> Instance:
    extras, sections = environment.extras, environment.sections
    ways = {host: environment.way(host) for host in environment.hosts}
    for host, way in ways.items():
        given.facts.as_root[host] = way.root_facts
    first = environment.first
    remarks = [f for way in ways.values() for f in way.findings]
    remarks += [*remarks_on(environment), *difference_findings(environment)]
    return Instance(
        name=extras.name or _name(environment.path),
        folder=environment.folder,
        product=environment.recognized[0],
        hosts={host: _host(environment, host, way.spec) for host, way in ways.items()},
        edition=extras.edition,
        method=extras.method,
        modules=extras.modules,
        features=tuple(extras.features),
        vars=_vars(environment, environment.hosts[0]),
        inputs={}
        if given.incomplete
        else dict(_known(environment.mapped(sections.inputs, first, "inputs"))),
        endpoints=() if given.incomplete else tuple(_endpoints(environment)),
        databases=sections.databases,
        hubs=tuple(map(str, environment.hubs)),
        site_steps=tuple(
            made_site_step(s, Where(f"{environment.folder}: site_steps[{i}]"))
            for i, s in enumerate(extras.site_steps)
        ),
        language=extras.language,
        description=extras.description,
        deployed_from=extras.deployed_from,
        resources=resources_of(extras),
        remarks=tuple(once_for_all(remarks)),
        origin="ansible",
        vault_passwords=tuple(f"{f.label}@{f.path}" for f in environment.passwords.files),
        variables=tuple(sorted(environment.readable)),
    )


def _name(path: Path) -> str:
    return path.stem if path.is_file() and path.stem not in ("hosts", "inventory") else (
        path.parent.name if path.is_file() else path.name
    )  # fmt: skip


def _host(environment: Environment, host: str, spec: HostSpec) -> HostSpec:
    extra = environment.extras.hosts.get(host) or HostExtraWritten()
    secret = _become_secret(environment, host) if host in environment.become_passwords else ""
    return replace(
        spec,
        options={**spec.options, **extra.options},
        state_dir=extra.state_dir,
        become_password=secret if spec.become else "",
        vars=_vars(environment, host),
    )


def _become_secret(environment: Environment, host: str) -> str:
    return BECOME if len(environment.hosts) == 1 else f"{BECOME}_{environment.hosts.index(host)}"


def _vars(environment: Environment, host: str) -> Mapped:
    scope = environment.variables.scope(host)
    written = environment.sections.vars
    if environment.recognized[1] is None:
        # Nobody says which of the variables the guide knows: all of them are offered.
        own = {name: "{{ " + name + " }}" for name in scope if _offered(name)}
        written = {**own, **written}
    return environment.mapped(written, scope, "vars")


def _offered(name: str) -> bool:
    return name.isidentifier() and not name.startswith("ansible_")


def _endpoints(environment: Environment) -> Iterator[Endpoint]:
    for position, written in enumerate(environment.sections.endpoints):
        where = f"endpoints[{position}]"
        values = environment.mapped(written, environment.first, where)
        try:
            made = EndpointWritten.model_validate(dict(values))
        except ValidationError as error:
            why = error.errors()[0]["msg"]
            raise InvalidInstance(
                f"{environment.folder}: {where}: {why}", "write name, url, expect, contains"
            ) from None
        ca = str(environment.folder / Path(made.ca).expanduser()) if made.ca else ""
        yield Endpoint(made.name, made.url, made.expect, made.contains, ca, made.resolve)


def _secrets(environment: Environment, learn: Learner) -> Secrets:
    references: dict[str, Reference] = {}
    templates: dict[str, str] = {}
    for name, written in environment.sections.secrets.items():
        if isinstance(written, SecretWritten):
            references[name] = reference_of(name, written)
        elif _present(environment, name, written):
            templates[name] = written
    for host, variable in environment.become_passwords.items():
        templates[_become_secret(environment, host)] = f"{{{{ hostvars['{host}'].{variable} }}}}"
    mapped = environment.mapped(templates, environment.first, "secrets")
    references |= {n: Reference("ansible", (_place(environment, n),), n) for n in templates}
    plain = frozenset(environment.sections.plain)
    resolve = _resolver(mapped, learn, plain)
    return Secrets(references, environment.folder, learn, {"ansible": resolve}, plain)


def _present(environment: Environment, name: str, written: str) -> bool:
    """Say whether a secret is there; one that is missing and needed is said later."""
    try:
        return name in environment.mapped({name: written}, environment.first, "secrets")
    except InvalidInput:
        return True


def _place(environment: Environment, name: str) -> str:
    place = environment.first.place(name)
    return place.file if place else environment.belongs(name)


def _resolver(
    mapped: Mapped, learn: Learner, plain: frozenset[str]
) -> Callable[[str, Reference], str]:
    def resolve(name: str, _reference: Reference) -> str:
        value = mapped.plain(name)
        for text in texts_in(value) if name not in plain else ():
            learn(text)
        return value if isinstance(value, str) else str(value)

    return resolve


def _known(mapped: Mapped) -> Iterator[tuple[str, Any]]:
    for name in mapped:
        yield name, mapped[name]
