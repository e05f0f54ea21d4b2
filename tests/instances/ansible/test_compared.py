"""Every variable of several environments, as ansible-core resolves it and as we do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from changeover.errors import ChangeoverError
from changeover.instances.ansible.environment import Environment
from changeover.instances.ansible.jinja import Style
from changeover.instances.given import Facts, Given
from tests.instances.ansible.project import NAMES, make_project
from tests.servers.ansible import WANTED, ansible

STYLES = {"2.15": Style.TEXT, "newest": Style.NATIVE}
EXTRA = ("-e", "git_version=abc123 spaced='a b'", "-e", '{"told": {"as": ["json", 1]}}')
HOME = {"ansible_env": {"HOME": "/home/compared"}}

PLAIN_MAGIC = {"environment", "hostvars", "omit", "role_names", "role_name", "vars", "play_hosts"}
"""What Ansible adds by itself, beside all that begins with `ansible_`."""
CONNECTION = {
    "ansible_user",
    "ansible_port",
    "ansible_become",
    "ansible_become_password",
    "ansible_ssh_common_args",
    "ansible_group_priority",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("compared"))


def outcome(scope: Mapping[str, Any], name: str) -> Any:
    try:
        return {"value": json.loads(json.dumps(scope[name], default=str))}
    except KeyError:
        return {"missing": True}
    except ChangeoverError as error:
        return {"error": error.message}


def ours(environment: Environment, style: Style) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for host in environment.inventory.hosts:
        yield host, environment.variables.scope(host, style)


def compared(names: Mapping[str, Any]) -> set[str]:
    own = {n for n in names if not n.startswith(("ansible_", "_")) and n not in PLAIN_MAGIC}
    return own | (CONNECTION & set(names))


def differing(theirs: Mapping[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name in sorted(compared(theirs) | compared(scope)):
        one, other = theirs.get(name, {"missing": True}), outcome(scope, name)
        if one != other and not ("error" in one and "error" in other):
            found[name] = (one, other)
    return found


@pytest.mark.live
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("version", WANTED)
def test_every_variable_is_what_ansible_makes_of_it(project: Path, name: str, version: str) -> None:
    theirs = ansible(version).variables(project, name, *EXTRA)
    given = Given(tuple(EXTRA[1::2]), facts=Facts(lambda _host, _root: HOME))
    environment = Environment(project / "environments" / name, given)

    found = {host: differing(theirs[host], scope)
             for host, scope in ours(environment, STYLES[version])}  # fmt: skip

    assert set(found) == set(theirs)
    assert {host: what for host, what in found.items() if what} == {}


PLAY = """
- hosts: all
  gather_facts: false
  vars:
    from_play: play
    layered: play
    named: "{{ inventory_hostname }}-{{ from_role_default }}"
  vars_files:
    - plain.yml
    - [missing.yml, "{{ chosen }}.yml"]
  roles:
    - {role: app}
"""
TREE = {
    "vars/plain.yml": "from_file: file\nlayered: file\nchosen_by_file: yes\n",
    "second.yml": "from_list: second\nlayered: list\n",
    "shared/app/defaults/main.yml": "from_role_default: default\nlayered: default\nport: 1\n",
    "shared/app/vars/main/a.yml": "from_role_vars: vars\nfolder_order: a\n",
    "shared/app/vars/main/b.yml": "folder_order: b\nlayered: role vars\n",
    "shared/app/meta/main.yml": "dependencies: [{role: base}]\n",
    "shared/base/defaults/main.yaml": "from_base: base\nport: 0\n",
    "shared/base/vars/main.yml": "base_vars: base\nlayered: base vars\n",
    "group_vars/all.yml": "layered: play all\nplay_all: 1\nchosen: second\n",
    "group_vars/web/one.yml": "layered: play web\nplay_web: 1\n",
    "group_vars/web/piped.yml": """piped: "{{ lookup('pipe', 'echo one; echo two') }}"
lines: "{{ query('lines', 'echo one; echo two') }}"
""",
    "host_vars/a.example.org": "play_host: 1\nenvironment_host: play\n",
    "environments/many/hosts": "[web]\na.example.org port=3\nb.example.org\n[all:vars]\nx=1\n",
    "environments/many/group_vars/all": "layered: env all\nplay_all: 0\nenv_all: 1\n",
    "environments/many/group_vars/ungrouped.yml": "never: true\n",
    "environments/many/group_vars/web.json": '{"layered": "env web", "play_web": 0}',
    "environments/many/host_vars/a.example.org.yml": "environment_host: env\nplay_host: 0\n",
    "environments/many/secrets": "{}\n",
    "ansible.cfg": "[defaults]\nroles_path = ./shared ; where they are\n",
    "vault-password": "x\n",
}


@pytest.mark.live
@pytest.mark.parametrize("version", WANTED)
def test_every_place_a_variable_may_stand_in_counts_as_it_does_there(
    tmp_path: Path, version: str
) -> None:
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    theirs = ansible(version).variables(tmp_path, "many", play=PLAY)
    (tmp_path / "site.yml").write_text(PLAY)
    environment = Environment(tmp_path / "environments" / "many")

    found = {host: differing(theirs[host], scope)
             for host, scope in ours(environment, STYLES[version])}  # fmt: skip

    assert len(theirs["a.example.org"]) > len(TREE)
    assert {host: what for host, what in found.items() if what} == {}


PARTED = """
- hosts: localhost
  gather_facts: false
  roles: [prepare]
- hosts: "{{ target | default('web') }}:!web[-1]"
  gather_facts: false
  vars: {target_unused: 1}
  roles: [db, app, {role: db, inline: 1}]
"""
PARTED_TREE = {
    "roles/prepare/defaults/main.yml": "only_local: 1\nlayered: prepare\n",
    "roles/db/defaults/main.yml": "layered: db\n",
    "roles/app/defaults/main.yml": "layered: app\n",
    "environments/parted/hosts": "192.0.2.9\n[web]\na\n192.0.2.7\nz\n[all:children]\nweb\n",
    "environments/parted/secrets": "{}\n",
    "vault-password": "x\n",
}
TOLD = 'sum={{ 1 + 1 }} two=\'a b\' q=it\\\'s n=a\\nb p=\\x41 u="x\\ty" z=a\\=b k=a"b"c w=C:\\d'


@pytest.mark.live
@pytest.mark.parametrize("version", WANTED)
def test_each_host_has_what_its_own_plays_bring(tmp_path: Path, version: str) -> None:
    for name, text in PARTED_TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    theirs = ansible(version).variables(tmp_path, "parted", "-e", TOLD, play=PARTED)
    (tmp_path / "site.yml").write_text(PARTED)
    environment = Environment(tmp_path / "environments" / "parted", Given((TOLD,)))

    found = {host: differing(theirs[host], scope)
             for host, scope in ours(environment, STYLES[version]) if host in theirs}  # fmt: skip

    assert environment.hosts == ["a", "192.0.2.7"]
    assert set(theirs) == set(environment.hosts)
    # What a role is given counts in its own tasks: the play's task that compares is none of them.
    assert {host: [*what] for host, what in found.items()} == {host: ["inline"] for host in theirs}
