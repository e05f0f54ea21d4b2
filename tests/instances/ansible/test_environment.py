"""An environment as an instance: nothing written, what is wrong is named, secrets stay hidden."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from changeover.engine.inputs import inputs_for
from changeover.errors import InvalidInput, InvalidInstance
from changeover.instances.ansible.recipe_lint import recipe_problems
from changeover.instances.folder import open_instance
from changeover.instances.given import Facts, Given, known_only
from changeover.instances.place import is_environment, state_folder
from changeover.model.findings import Severity
from changeover.sources.folder import load_release
from tests.instances.ansible.opened import given, said
from tests.instances.ansible.project import OPS, make_project

GUIDE = OPS.parents[2] / "guides" / "catalogage" / "2023.7"


@pytest.fixture
def environments(tmp_path: Path) -> Path:
    return make_project(tmp_path) / "environments"


def test_the_manuals_production_is_an_instance_as_it_is(environments: Path) -> None:
    before = {p: p.read_bytes() for p in environments.rglob("*") if p.is_file()}

    instance, secrets = open_instance(environments / "prod", given=given())

    assert (instance.name, instance.product) == ("prod", "catalogage")
    assert instance.hosts["catalogue.example.org"].user == "root"
    assert instance.hosts["catalogue.example.org"].roles == ("web", "db")
    assert instance.vars["workdir"] == "/home/deploy/catalogage"
    assert instance.vars["tls_enabled"] is True
    assert instance.inputs == {"ref": "master"}
    assert secrets["database_url"].startswith("postgresql+asyncpg://catalogage:mdp%21")
    assert instance.endpoints[0].url == "https://catalogue.example.org/"
    assert {p: p.read_bytes() for p in environments.rglob("*") if p.is_file()} == before


def test_connection_variables_become_the_way_to_the_host(environments: Path) -> None:
    instance, secrets = open_instance(environments / "staging", given=given())

    host = instance.hosts["staging.catalogue.example.org"]
    assert (host.address, host.port, host.user) == ("192.0.2.20", 2222, "deploy")
    assert (host.become, host.become_password) == ("sudo", "ansible_become_password")
    assert secrets["ansible_become_password"] == "sudo pass 2"
    assert host.options == {"ProxyJump": "gate.example.org", "ForwardAgent": "yes"}


def test_host_keys_stay_checked_whatever_ansible_is_told(environments: Path) -> None:
    instance, _ = open_instance(environments / "staging", given=given())

    passed = [f.message for f in instance.remarks if f.severity is Severity.PASS]
    options = {name.lower() for host in instance.hosts.values() for name in host.options}

    assert "host keys are checked, although host_key_checking=False stands there" in passed
    assert "host keys are checked, although StrictHostKeyChecking=no stands there" in passed
    assert "stricthostkeychecking" not in options


def test_every_undefined_variable_is_named_with_the_file_it_belongs_in(environments: Path) -> None:
    with pytest.raises(InvalidInstance) as refused:
        open_instance(environments / "test", given=given())

    said_there = refused.value.message
    names = "secret_key, datapass_client_id, datapass_client_secret, sentry_dsn"
    assert f"{names}: write them in {environments}/test/secrets" in said_there
    assert f"client_url, datapass_url: write them in {environments}/test/group_vars" in said_there


def test_a_fact_nobody_asks_hosts_for_belongs_in_no_file(environments: Path) -> None:
    group = environments / "prod" / "group_vars" / "web.yml"
    group.write_text(group.read_text() + 'client_url: "https://{{ ansible_dns.search[0] }}"\n')

    with pytest.raises(InvalidInstance) as refused:
        open_instance(environments / "prod", given=given())

    assert "ansible_dns: not among the facts" in refused.value.message
    assert "write it in" not in refused.value.message


def test_the_manuals_own_slip_is_shown_with_its_place_and_its_remedy(environments: Path) -> None:
    file = environments / "test" / "group_vars" / "web.yml"
    file.write_text("git_version: master\ndatabase_url: database_url: postgresql://u:p@h/d\n")

    with pytest.raises(InvalidInstance) as refused:
        open_instance(environments / "test", given=given())

    assert refused.value.message.startswith(f"{file}:2:27: `database_url:` stands here twice")
    assert refused.value.remedy == "write the name once: `database_url: ...`"
    assert "u:p" not in said(refused.value)


def test_what_two_ansibles_read_differently_is_said(environments: Path) -> None:
    instance, _ = open_instance(environments / "odd", given=given())

    said_there = [f.message for f in instance.remarks]

    assert any("listlike is a list up to ansible-core 2.18 and text" in m for m in said_there)
    assert not any("client_url" in m for m in said_there)


def test_a_condition_given_as_text_stops_the_run_by_name(environments: Path) -> None:
    instance, _ = open_instance(environments / "prod", given=given("tls_enabled=false"))

    found = next(f for f in instance.remarks if f.name == "boolean-tls_enabled")

    assert found.severity is Severity.FAIL
    assert "up to ansible-core 2.18 a condition takes it as true, 2.19 refuses it" in found.message
    assert """-e '{"tls_enabled": false}'""" in found.remedy


def test_a_condition_given_as_json_is_one(environments: Path) -> None:
    instance, _ = open_instance(environments / "prod", given=given('{"tls_enabled": false}'))

    assert instance.vars["tls_enabled"] is False
    assert not any(f.name == "boolean-tls_enabled" for f in instance.remarks)


def test_the_command_line_counts_most_and_files_of_it_too(environments: Path) -> None:
    more = environments / "more.yml"
    more.write_text("api_port: 4000\nsecret_key: from a file\n")

    instance, secrets = open_instance(
        environments / "prod", given=given("git_version=abc123", f"@{more}")
    )

    assert instance.inputs["ref"] == "abc123"
    assert instance.vars["api_port"] == 4000
    assert secrets["secret_key"] == "from a file"


def test_an_environment_that_nothing_recognizes_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "hosts").write_text("[web]\na\n")

    with pytest.raises(InvalidInstance, match="no guide recognizes") as refused:
        open_instance(tmp_path)

    assert "changeover.yaml" in refused.value.remedy


def test_changeover_yaml_says_what_ansible_has_no_place_for(environments: Path) -> None:
    prod = environments / "prod"
    (prod / "changeover.yaml").write_text(
        "format: 1\nname: production\nlanguage: fr\n"
        "vars: {keep_releases: 5, releases: '{{ workdir }}.all'}\n"
        "secrets: {token: {env: A_TOKEN}}\n"
        "hosts: {catalogue.example.org: {state_dir: /srv/state, roles: [cron]}}\n"
        "endpoints: [{name: api, url: '{{ client_url }}/api/'}]\n"
    )

    instance, secrets = open_instance(prod, given=given())

    assert (instance.name, instance.language) == ("production", "fr")
    assert instance.vars["releases"] == "/home/deploy/catalogage.all"
    assert instance.vars["keep_releases"] == 5
    assert instance.hosts["catalogue.example.org"].state_dir == "/srv/state"
    assert "cron" in instance.hosts["catalogue.example.org"].roles
    assert [e.url for e in instance.endpoints] == ["https://catalogue.example.org/api/"]
    assert str(secrets.reference("token")) == "env: A_TOKEN"


def test_a_slip_in_changeover_yaml_has_its_place(environments: Path) -> None:
    (environments / "prod" / "changeover.yaml").write_text("format: 1\nlangage: fr\n")

    with pytest.raises(InvalidInstance, match=r"changeover\.yaml:2:1: unknown key `langage`"):
        open_instance(environments / "prod")


def test_what_only_the_host_can_tell_is_asked_when_it_is_needed(environments: Path) -> None:
    asked: list[tuple[str, bool]] = []

    def ask(host: str, as_root: bool) -> dict[str, dict[str, str]]:
        asked.append((host, as_root))
        return {"ansible_env": {"HOME": "/home/deploy"}}

    instance, _ = open_instance(environments / "staging", given=Given(facts=Facts(ask)))
    before = list(asked)
    shown = dict(instance.vars)

    assert before == []
    assert shown["workdir"] == "/home/deploy/catalogage"
    assert asked == [("staging.catalogue.example.org", True)]


def test_showing_asks_no_host(environments: Path) -> None:
    instance, _ = open_instance(environments / "prod")

    shown = known_only(instance).vars["workdir"]

    assert shown == "(ansible_env: only catalogue.example.org itself can tell)"


def test_a_name_misspelt_on_the_command_line_is_refused_with_the_one_that_was_meant(
    environments: Path,
) -> None:
    instance, _ = open_instance(environments / "prod", given=given("git_verison=v1"))

    with pytest.raises(InvalidInput, match=r"reads git_verison; did you mean `git_version`\?"):
        inputs_for(load_release(GUIDE), instance, {"git_verison": "v1"})


def test_several_inventories_in_one_folder_have_journals_of_their_own(tmp_path: Path) -> None:
    for name in ("blue.ini", "green.ini"):
        (tmp_path / name).write_text("[web]\na\n")

    assert state_folder(tmp_path / "blue.ini") != state_folder(tmp_path / "green.ini")


def test_a_folder_with_neither_is_no_instance(tmp_path: Path) -> None:
    assert not is_environment(tmp_path)
    with pytest.raises(InvalidInstance, match=r"no instance\.yaml, and no inventory of Ansible"):
        state_folder(tmp_path)


def test_a_folder_that_is_none_names_those_that_may_have_been_meant(
    environments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidInstance) as playbooks_folder:
        state_folder(environments.parent)
    monkeypatch.chdir(environments)
    with pytest.raises(InvalidInstance) as misspelt:
        state_folder(Path("prd"))

    assert str(environments / "prod") in playbooks_folder.value.remedy
    assert "no such folder" in misspelt.value.message
    assert misspelt.value.remedy == "did you mean -i prod?"


def test_a_login_with_a_password_is_refused_with_the_way_out(environments: Path) -> None:
    hosts = environments / "prod" / "hosts"
    hosts.write_text("[web]\ncatalogue.example.org ansible_password=x\n")

    with pytest.raises(InvalidInstance, match="keys, not with passwords") as refused:
        open_instance(environments / "prod", given=given())

    assert refused.value.remedy.startswith("ssh-copy-id catalogue.example.org")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ("ansible_connection=docker", "ansible_connection: docker"),
        ("ansible_become=yes ansible_become_method=doas", "become_method: doas"),
        ("ansible_become=yes ansible_become_user=app", "become_user: app"),
        ("ansible_port=ninety", "ansible_port: ninety"),
        ("ansible_ssh_common_args='-D 1080'", "ssh argument -D"),
    ],
)
def test_a_way_this_tool_does_not_know_is_refused_by_name(
    environments: Path, variables: str, message: str
) -> None:
    (environments / "prod" / "hosts").write_text(f"[web]\ncatalogue.example.org {variables}\n")

    with pytest.raises(InvalidInstance, match=message):
        open_instance(environments / "prod", given=given())


def test_a_guides_file_for_environments_is_linted(tmp_path: Path) -> None:
    shutil.copytree(GUIDE, tmp_path / "guide")
    file = tmp_path / "guide" / "ansible.yaml"
    file.write_text(
        "format: 1\nrecognize: {roles: [web]}\nvars:\n  a: '{{ b | no_such_filter }}'\n"
        "  c: '{{ d'\ninputs: {reff: x}\nendpoints: [{nam: x, url: y}]\n"
    )

    problems = [str(p) for p in recipe_problems(tmp_path / "guide")]

    assert any(":4:6: not a template: No filter named 'no_such_filter'" in p for p in problems)
    assert any(":5:6: not a template" in p for p in problems)
    assert any("no input `reff` (did you mean `ref`?)" in p for p in problems)
    assert any("unknown key `nam` (did you mean `name`?)" in p for p in problems)
    assert recipe_problems(GUIDE) == []
