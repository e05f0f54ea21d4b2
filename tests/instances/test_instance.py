from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changeover.errors import InvalidInput, InvalidInstance
from changeover.instances.draft import Draft, draft_text, write_draft
from changeover.instances.folder import load_instance, open_instance, remember
from changeover.model.release import Phase
from changeover.sources.yamltree import parse_tree

PROD = """\
format: 1
name: prod
product: shop
language: fr
hubs: [../releases]
method: packages
hosts:
  web1: {address: 192.0.2.10, user: admin, roles: [web, db], become: sudo, become_password: sudo}
  here: {transport: local, roles: [web], state_dir: /srv/state, vars: {port: 81}}
vars: {domain: shop.example}
inputs: {workers: 4}
secrets:
  url: {age: secrets.age}
  sudo: {env: SUDO_PASSWORD}
databases:
  main: {url: "{{ secrets.url }}", on: db}
endpoints:
  - {name: site, url: "https://shop.example/", contains: Shop, ca: ca.pem, resolve: 127.0.0.1}
site_steps:
  - {before: stop, step: {id: page, use: command.run, with: {words: [page]}, undo: nothing}}
  - {after: migrate, step: {id: look, use: confirm}}
"""


def instance_in(folder: Path, text: str = PROD) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "instance.yaml").write_text(text, encoding="utf-8")
    return folder


def test_an_instance_is_read_as_its_operator_wrote_it(tmp_path: Path) -> None:
    instance = load_instance(instance_in(tmp_path))

    assert instance.hosts["web1"].become_password == "sudo"
    assert [h.name for h in instance.chosen("web")] == ["web1", "here"]
    assert instance.endpoints[0].ca == str(tmp_path / "ca.pem")
    assert instance.site_steps[0].step.phase is Phase.STOP
    assert (instance.site_steps[1].place, instance.site_steps[1].anchor) == ("after", "migrate")


WRONG = {
    "unknown key": (
        "language:",
        "languge:",
        "instance.yaml:4:1: unknown key `languge`",
        "language",
    ),
    "wrong type": ("roles: [web]", "roles: web", "hosts.here.roles: must be a list", "[one, two]"),
    "secret in clear": ("{env: SUDO_PASSWORD}", "hunter2", "must not be written here", "age"),
    "two places": ("{env: SUDO_PASSWORD}", "{env: A, file: b}", "names no single place", "{env:}"),
    "no such secret": ("become_password: sudo", "become_password: sodu", "called `sodu`", "`sudo`"),
    "host like a role": ("  here:", "  db:", "host `db` is called like a role", "rename"),
    "url": ("https://shop", "shop", "is not an address", "https://"),
    "transport": ("transport: local", "transport: telnet", "`telnet` is not one", "ssh, local"),
    "no anchor": ("before: stop, ", "", "needs `before` or `after`", "phase"),
    "format": ("format: 1", "format: 2", "format 2 is not known", "format 1"),
    "no name": ("name: prod\n", "", "`name` is missing", "name: ..."),
    "variable's name": ("{domain:", "{do-main:", "cannot be a variable's name", "`_`"),
    "two steps": ("id: look", "id: page", "two site steps are called `page`", "rename"),
    "site step": ("use: confirm", "run: x", "its step needs `id` and `use`", "use"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_place_and_remedy(tmp_path: Path, name: str) -> None:
    old, new, said, remedy = WRONG[name]

    with pytest.raises(InvalidInstance) as refused:
        load_instance(instance_in(tmp_path, PROD.replace(old, new)))

    assert said in refused.value.message
    assert f"{tmp_path}/instance.yaml:" in refused.value.message
    assert remedy in refused.value.remedy
    assert "hunter2" not in refused.value.message


def test_a_folder_without_instance_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInstance) as refused:
        load_instance(tmp_path)

    assert "instance init" in refused.value.remedy


def test_answers_are_remembered_and_the_instance_counts_more(tmp_path: Path) -> None:
    folder = instance_in(tmp_path)

    remember(folder, {"workers": 9, "name": "café: #1"})
    remember(folder, {"debug": True})

    assert load_instance(folder).inputs == {"workers": 4, "name": "café: #1", "debug": True}


def test_a_draft_becomes_an_instance_with_its_secrets_encrypted(tmp_path: Path) -> None:
    draft = Draft(
        "prod", "shop", {"web": {"transport": "local", "roles": ["web", "db"]}}, ["releases"],
        vars={"domain": "x.example"}, databases={"main": {"url": "{{ secrets.database_url }}"}},
        secrets={"database_url": "postgresql://a:s3cr:#t@h/db"},
    )  # fmt: skip

    write_draft(tmp_path, draft)

    _, secrets = open_instance(tmp_path)
    assert secrets["database_url"] == "postgresql://a:s3cr:#t@h/db"
    assert b"s3cr" not in b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert "age.key" in (tmp_path / ".gitignore").read_text().splitlines()
    with pytest.raises(InvalidInstance, match="is there already"):
        write_draft(tmp_path, draft)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), st.text(), max_size=3))
@settings(max_examples=100, deadline=None)
def test_any_value_survives_a_draft(values: dict[str, str]) -> None:
    written = parse_tree(draft_text(Draft("n", "p", {"h": {}}, vars=values)), "f").value

    assert written.get("vars", {}) == values


def read_or_refused(folder: Path, text: str) -> None:
    try:
        load_instance(instance_in(folder, text))
    except InvalidInput as error:
        assert error.message  # noqa: PT017 - refusing is one of two good outcomes


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("instance")


LINES = st.lists(st.sampled_from(PROD.splitlines()), max_size=25).map("\n".join)


@given(LINES)
@settings(max_examples=100, deadline=None)
def test_any_choice_of_lines_is_read_or_refused(scratch: Path, text: str) -> None:
    read_or_refused(scratch, text)


@pytest.mark.fuzz
@given(LINES)
@settings(max_examples=10_000, deadline=None)
def test_any_choice_of_lines_is_read_or_refused_at_length(scratch: Path, text: str) -> None:
    read_or_refused(scratch, text)
