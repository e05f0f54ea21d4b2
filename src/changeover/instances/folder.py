"""An instance folder: `instance.yaml`, remembered answers, and the folder for state."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInput, InvalidInstance
from changeover.instances.given import NOTHING, Given
from changeover.instances.place import is_environment, no_instance
from changeover.instances.resources import resources_of
from changeover.instances.secrets import Learner, Secrets, unheard
from changeover.instances.site import made_site_step, reference_of
from changeover.instances.written import (
    HostWritten,
    InstanceWritten,
    RegistryWritten,
)
from changeover.model.instance import Endpoint, HostSpec, Instance
from changeover.model.problem import Problem, suggestion
from changeover.sources.checked import checked, insist
from changeover.sources.yamltext import quoted
from changeover.sources.yamltree import Tree, read_tree

INSTANCE = "instance.yaml"
ANSWERS = "answers.yaml"
"""Answers to inputs, remembered by the tool; those in `instance.yaml` count more."""
DECISIONS = "files.merge"
"""The one entry of it that is no input, which no input can be called: settled conflicts."""


def load_instance(folder: Path, given: Given = NOTHING) -> Instance:
    """Read an instance folder; raise `InvalidInstance` with all that is wrong and where."""
    return open_instance(folder, given=given)[0]


def open_instance(
    folder: Path, learn: Learner = unheard, given: Given = NOTHING
) -> tuple[Instance, Secrets]:
    """Read an instance and its secrets; every secret that is resolved is told to `learn`.

    A folder without `instance.yaml` may be an Ansible environment, which `given` is about.
    """
    folder = folder.absolute()
    if not (folder / INSTANCE).is_file() and is_environment(folder):
        # Only now: native instances need none of it.
        from changeover.instances.ansible.opening import open_environment  # noqa: PLC0415 - Ansible folders only

        return open_environment(folder, learn, given)
    given.refuse_forms()
    tree, written = _read(folder)
    instance = replace(_instance(folder, written, tree), vault_passwords=given.named_passwords)
    return instance, secrets_of(folder, written, learn)


def secrets_of(folder: Path, written: InstanceWritten, learn: Learner = unheard) -> Secrets:
    """Return the secrets an instance names, none of them resolved yet."""
    references = {name: reference_of(name, secret) for name, secret in written.secrets.items()}
    return Secrets(references, folder, learn)


def remember(folder: Path, answers: Mapping[str, Any]) -> None:
    """Keep answers to inputs for the next run; secret ones must not be given."""
    write_answers(folder, {**answers_of(folder), **answers})


def write_answers(folder: Path, known: Mapping[str, Any]) -> None:
    """Write the file of answers, if it says something else by now."""
    inputs = {name: value for name, value in known.items() if name != DECISIONS}
    lines = [f"{name}: {quoted(value)}" for name, value in inputs.items()]
    text = "\n".join(["# Written by changeover: answers to the releases' inputs.", *lines, ""])
    if known.get(DECISIONS):
        text += _decided(known[DECISIONS])
    path = folder / ANSWERS
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    fresh = path.with_name(f".{ANSWERS}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise InvalidInstance(f"{path}: cannot be written: {error.strerror}") from error


def _decided(decisions: Mapping[str, Any]) -> str:
    """Return how conflicts of files were settled, as it is written down."""
    import yaml  # noqa: PLC0415 - few instances have conflicts

    told = "# How conflicts of configuration files were settled: digests, and what was decided.\n"
    return told + yaml.safe_dump({DECISIONS: decisions}, sort_keys=True, allow_unicode=True)


def _read(folder: Path) -> tuple[Tree, InstanceWritten]:
    path = folder / INSTANCE
    if not path.is_file():
        raise no_instance(folder)
    try:
        tree = read_tree(path)
    except InvalidInput as error:
        raise InvalidInstance(error.message, error.remedy) from None
    written, problems = checked(InstanceWritten, tree)
    insist(problems, InvalidInstance)
    if written is None:
        raise InvalidInstance(f"{path}: cannot be read")
    insist(_contradictions(written, tree), InvalidInstance)
    return tree, written


def _contradictions(written: InstanceWritten, tree: Tree) -> Iterator[Problem]:
    for name, host in written.hosts.items():
        wanted = host.become_password
        if wanted and wanted not in written.secrets:
            where = tree.where(("hosts", name, "become_password"))
            remedy = suggestion(wanted, written.secrets) or "define it under `secrets:`"
            yield Problem(f"no secret is called `{wanted}`", where, remedy)
        others = (h for n, h in written.hosts.items() if n != name)
        if name == "all" or any(name in other.roles for other in others):
            where = tree.where(("hosts", name), key=True)
            yield Problem(f"host `{name}` is called like a role", where, "rename one of them")
    seen: set[str] = set()
    for position, site_step in enumerate(written.site_steps):
        step_id = site_step.step.id or ""
        if step_id in seen:
            where = tree.where(("site_steps", position, "step", "id"))
            yield Problem(f"two site steps are called `{step_id}`", where, "rename one")
        seen.add(step_id)


def _instance(folder: Path, written: InstanceWritten, tree: Tree) -> Instance:
    return Instance(
        name=written.name,
        folder=folder,
        product=written.product,
        hosts={name: _host(folder, name, host) for name, host in written.hosts.items()},
        edition=written.edition,
        method=written.method,
        modules=written.modules,
        features=tuple(written.features),
        vars=written.vars,
        inputs={**_inputs(folder), **written.inputs},
        endpoints=tuple(
            Endpoint(e.name, e.url, e.expect, e.contains, _beside(folder, e.ca), e.resolve)
            for e in written.endpoints
        ),
        databases=written.databases,
        registries={h: _registry(folder, r) for h, r in written.registries.items()},
        hubs=tuple(written.hubs),
        site_steps=tuple(
            made_site_step(s, tree.where(("site_steps", i, "step")))
            for i, s in enumerate(written.site_steps)
        ),
        language=written.language,
        description=written.description,
        deployed_from=written.deployed_from,
        resources=resources_of(written),
    )


def _host(folder: Path, name: str, written: HostWritten) -> HostSpec:
    return HostSpec(
        name=name,
        transport=written.transport,
        address=written.address,
        port=written.port,
        user=written.user,
        roles=tuple(written.roles),
        become=written.become,
        become_password=written.become_password,
        ssh_config=_beside(folder, written.ssh_config),
        options=written.options,
        state_dir=written.state_dir,
        vars=written.vars,
    )


def _registry(folder: Path, written: RegistryWritten) -> dict[str, Any]:
    said = written.model_dump(exclude_defaults=True)
    return {**said, "ca": _beside(folder, written.ca)} if written.ca else said


def _beside(folder: Path, path: str) -> str:
    """Return a path as seen from the instance's folder; `~` is the operator's home."""
    return str(folder / Path(path).expanduser()) if path else ""


def _inputs(folder: Path) -> Mapping[str, Any]:
    return {name: value for name, value in answers_of(folder).items() if name != DECISIONS}


def answers_of(folder: Path) -> Mapping[str, Any]:
    """Return all that `answers.yaml` says."""
    path = folder / ANSWERS
    if not path.is_file():
        return {}
    tree = read_tree(path)
    if tree.value is None:
        return {}
    if not isinstance(tree.value, dict):
        raise InvalidInstance(f"{path}: must be `name: value` lines", "correct or remove the file")
    return tree.value
