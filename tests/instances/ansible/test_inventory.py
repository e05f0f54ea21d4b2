"""Inventories: INI, YAML, programs and folders of them; what is wrong has a place."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.errors import InvalidInput, InvalidInstance
from changeover.instances.ansible.inventory import Inventory, expanded
from changeover.instances.ansible.inventory_ini import IniReader
from changeover.instances.ansible.inventory_source import find_inventory, read_inventory
from changeover.instances.ansible.pattern import matching
from changeover.instances.ansible.varfile import read_bytes


def written(folder: Path, text: str, name: str = "hosts") -> Inventory:
    (folder / name).write_text(text)
    return read_inventory(folder / name)


@pytest.mark.parametrize(
    ("word", "hosts", "port"),
    [
        ("web", ["web"], None),
        ("web:2222", ["web"], 2222),
        ("web[1:3]", ["web1", "web2", "web3"], None),
        ("web[01:03]:22", ["web01", "web02", "web03"], 22),
        ("web[1:5:2]", ["web1", "web3", "web5"], None),
        ("[a:c].x", ["a.x", "b.x", "c.x"], None),
        ("r[1:2]-n[a:b]", ["r1-na", "r1-nb", "r2-na", "r2-nb"], None),
        ("[2001:db8::1]:22", ["2001:db8::1"], 22),
    ],
)
def test_a_pattern_stands_for_its_hosts(word: str, hosts: list[str], port: int | None) -> None:
    assert expanded(word, "hosts:1") == (hosts, port)


@pytest.mark.parametrize(
    "text",
    [
        "[web]\nweb[1:3\n",
        "[web]\nweb[3:1]\n",
        "[web]\nweb[01:100]\n",
        "[web]\nweb1 colour\n",
        "[web]\nweb1 colour='red\n",
        "[web:colour]\nx\n",
        "[web:vars]\na=1\n",
        "[web]\nx\n[top:children]\nmissing\n",
        "[one:children]\ntwo\n[two:children]\none\n[one]\nh\n",
        "",
    ],
)
def test_what_is_wrong_in_an_inventory_is_named_with_a_remedy(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInstance) as refused:
        written(tmp_path, text)

    assert refused.value.remedy


def test_the_place_of_what_is_wrong_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidInstance, match=r"hosts:3: `colour` is not name=value"):
        written(tmp_path, "# a comment\n[web]\nweb1 colour\n")


def test_an_inventory_plugin_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInstance, match="inventory plugin `aws_ec2`") as refused:
        written(tmp_path, "plugin: aws_ec2\nregions: [x]\n", "hosts.yml")

    assert "ansible-inventory" in refused.value.remedy


def test_an_executable_inventory_is_run(tmp_path: Path) -> None:
    program = tmp_path / "hosts"
    listed = {"web": {"hosts": ["a"], "vars": {"x": 1}}, "_meta": {"hostvars": {"a": {"y": 2}}}}
    program.write_text(f"#!/bin/sh\necho '{json.dumps(listed)}'\n")
    program.chmod(0o755)

    inventory = read_inventory(program)

    assert inventory.hosts == {"a": {"y": 2}}
    assert inventory.groups["web"].vars == {"x": 1}


def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    program = tmp_path / "hosts"
    program.write_text("#!/bin/sh\necho no credentials >&2; exit 3\n")
    program.chmod(0o755)

    with pytest.raises(InvalidInstance, match="exited 3: no credentials"):
        read_inventory(program)


def test_a_folder_is_read_in_order_and_what_is_no_inventory_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "01-web").write_text("[web]\na x=1\n")
    (tmp_path / "02-web.yml").write_text("web: {hosts: {a: {x: 2}, b: {}}}\n")
    (tmp_path / "03-notes").write_text("[web\n]\n")
    (tmp_path / "readme.md").write_text("nothing")

    found = find_inventory(tmp_path)
    assert found is not None
    inventory = read_inventory(found)

    assert inventory.hosts == {"a": {"x": 2}, "b": {}}
    assert len(inventory.passed_over) == 1


def test_a_file_that_older_ansibles_pass_over_is_read_and_named(tmp_path: Path) -> None:
    (tmp_path / "01-web").write_text("[web]\na\n")
    (tmp_path / "02-web.ini").write_text("[web]\nb\n")

    inventory = read_inventory(tmp_path)

    assert list(inventory.hosts) == ["a", "b"]
    assert inventory.read_lately == [str(tmp_path / "02-web.ini")]


def test_a_group_that_is_named_below_all_keeps_its_hosts_there(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("[web]\na\n[db]\nb\n[all:children]\nweb\n")

    inventory = read_inventory(tmp_path / "hosts")

    assert sorted(inventory.members("all")) == ["a", "b"]


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("all", ["a", "b", "c"]),
        ("web", ["a", "b"]),
        ("web:!b", ["a"]),
        ("web:&db", ["b"]),
        ("db,a", ["b", "c", "a"]),
        ("c:a", ["c", "a"]),
        ("w*", ["a", "b"]),
        ("nobody", []),
        ("web[0]", ["a"]),
        ("web[-1]", ["b"]),
        ("web[-3]", []),
        ("all[1:]", ["b", "c"]),
        ("all[0:1]", ["a", "b"]),
        ("all[0:-1]", ["a", "b", "c"]),
        ("all:!web[0]", ["b", "c"]),
        ("~[ab]$", ["a", "b"]),
        ("~d", ["b", "c"]),
    ],
)
def test_a_plays_hosts_are_chosen_as_ansible_does(
    tmp_path: Path, pattern: str, hosts: list[str]
) -> None:
    inventory = written(tmp_path, "[web]\na\nb\n[db]\nb\nc\n")

    assert matching(inventory, pattern) == hosts


def test_hosts_stand_in_the_order_of_their_groups_the_outer_ones_first(tmp_path: Path) -> None:
    inventory = written(
        tmp_path, "[web]\na\nold\n[retired]\nold\n[prod:children]\nweb\ndb\n[db]\nc\n"
    )

    assert inventory.members("all") == ["old", "a", "c"]
    assert inventory.members("prod") == ["a", "old", "c"]


@given(st.text(max_size=200))
def test_no_text_brings_the_reader_down(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        IniReader(Inventory(), Path("hosts")).read(text)


def test_a_pipe_in_the_place_of_variables_is_refused_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "all.yml")

    with pytest.raises(InvalidInstance, match="is a pipe"):
        read_bytes(tmp_path / "all.yml")
