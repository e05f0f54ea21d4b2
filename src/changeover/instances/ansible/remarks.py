"""What is worth a word about an environment, whoever reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from changeover.instances.ansible.environment import Environment
from changeover.instances.ansible.jinja import is_template
from changeover.model.findings import Finding, passed, warned


def once_for_all(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings without repeating for every host what is true of several."""
    found: dict[Finding, list[str]] = {}
    for finding in findings:
        found.setdefault(replace(finding, host=""), []).append(finding.host)
    return [replace(f, host=hosts[0] if len(hosts) == 1 else "") for f, hosts in found.items()]


def remarks_on(environment: Environment) -> Iterator[Finding]:
    """Yield what an operator should know of how an environment was read."""
    playbook, recipe = environment.playbook, environment.recognized[1]
    if playbook:
        yield passed(f"read with {playbook.path}")
        for role in playbook.roles:
            if role.folder is None:
                remedy = "install it as the playbook wants it: its defaults are not known here"
                yield warned(f"role {role.name} is not on this machine", remedy)
    else:
        yield warned("no playbook above: defaults of roles are not known",
                     "name it in changeover.yaml: playbook:")  # fmt: skip
    if recipe is None:
        yield warned("the guide says nothing of Ansible environments: all variables are passed on",
                     "map them in changeover.yaml: vars:, secrets:, databases:")  # fmt: skip
    for doubled in environment.variables.doubled:
        yield warned(f"{doubled} stands there twice: the last one counts", "keep one of them")
    for message in environment.inventory.passed_over:
        yield warned(f"not read as an inventory: {message}", "move it elsewhere, if that is wrong")
    for path in environment.inventory.read_lately:
        yield warned(f"{path}: read here, as ansible-core 2.19 does; 2.15 passes over *.ini in a "
                     "folder", "take the ending off, so that every version reads it")  # fmt: skip
    yield from in_clear(environment)


def in_clear(environment: Environment) -> Iterator[Finding]:
    """Yield the secrets that anybody reads who reads the folder."""
    for name in sorted(environment.secret_names - set(environment.sections.plain)):
        place, written = environment.first.place(name), environment.first.written(name)
        inside = place and place.file.startswith(str(environment.folder))
        said = isinstance(written, str) and written.strip("{} ") and not is_template(written)
        if inside and said and not environment.first.is_secret(name):
            remedy = f"move it to {environment.folder / environment.extras.secrets_file}, encrypted"
            yield warned(f"{place}: {name} stands there in clear", remedy)
