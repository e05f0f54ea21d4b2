"""How hosts of an environment are reached; what is shown of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from changeover.cli.main import changeover
from changeover.instances.folder import open_instance
from tests.instances.ansible.project import make_project

HOST = "catalogue.example.org"


@pytest.fixture
def ansible(tmp_path: Path) -> Path:
    return make_project(tmp_path)


def test_a_play_for_this_machine_moves_no_other_host_here(ansible: Path) -> None:
    site = ansible / "playbook.yml"
    first = "- hosts: localhost\n  connection: local\n  become: true\n  tasks: []\n"
    site.write_text(first + site.read_text())

    instance, _ = open_instance(ansible / "environments" / "prod")

    host = instance.hosts[HOST]
    assert (host.transport, host.become) == ("ssh", "")


@pytest.mark.parametrize(
    "written",
    [
        '-o ProxyCommand=\\"ssh -W %h:%p -q gate@192.0.2.1\\"',
        "-o 'ProxyCommand ssh -W %h:%p -q gate@192.0.2.1'",
        "-oProxyCommand='ssh -W %h:%p -q gate@192.0.2.1'",
        "-o 'ProxyCommand = ssh -W %h:%p -q gate@192.0.2.1'",
    ],
)
def test_a_command_that_leads_to_the_host_is_given_on_whole(ansible: Path, written: str) -> None:
    hosts = ansible / "environments" / "prod" / "hosts"
    hosts.write_text(f'[web]\n{HOST} ansible_ssh_common_args="{written}"\n')

    instance, _ = open_instance(ansible / "environments" / "prod")

    assert instance.hosts[HOST].options["ProxyCommand"] == "ssh -W %h:%p -q gate@192.0.2.1"


def test_what_a_vault_keeps_is_not_shown_with_the_instance(ansible: Path) -> None:
    extras = ansible / "environments" / "prod" / "changeover.yaml"
    extras.write_text("format: 1\nvars: {greeting: 'hello {{ secret_key }}'}\n")
    _, secrets = open_instance(ansible / "environments" / "prod")

    shown = CliRunner().invoke(
        changeover, ["instance", "show", "-o", "yaml", "-i", str(ansible / "environments" / "prod")]
    )

    assert "greeting: hello •••" in shown.output
    assert secrets["secret_key"] not in shown.output
