"""What git, curl, df, find and the kernel print, and what is read from it."""

from __future__ import annotations

import pytest

from changeover.tools import curl, disk, git, network, python, tree

COMMIT, TAGGED = "a" * 40, "b" * 40


def test_a_tag_goes_before_a_branch_and_is_peeled() -> None:
    rows = f"{'c' * 40}\trefs/tags/v1\n{TAGGED}\trefs/tags/v1^{{}}\n{COMMIT}\trefs/heads/v1\n"

    assert next(iter(git.parse_ls_remote(rows, "v1").values())) == TAGGED


def test_a_name_that_only_ends_alike_is_not_the_reference() -> None:
    assert git.parse_ls_remote(f"{COMMIT}\trefs/heads/feature/main\n", "main") == {}


def test_a_full_name_is_taken_as_it_is() -> None:
    rows = f"{COMMIT}\trefs/pull/7/head\n"

    assert git.parse_ls_remote(rows, "refs/pull/7/head") == {"refs/pull/7/head": COMMIT}


@pytest.mark.parametrize(
    ("address", "holds"),
    [
        ("https://ann:pw@git.example/x.git", True),
        ("https://ann@git.example/x.git", False),
        ("git@git.example:team/x.git", False),
        ("ssh://git@git.example:2222/x.git", False),
        ("/srv/x.git", False),
    ],
)
def test_an_address_with_a_password_is_known(address: str, holds: bool) -> None:
    assert git.has_password(address) is holds


def test_a_key_is_named_to_ssh_and_nothing_else_is_tried() -> None:
    asked = git.ls_remote("git@git.example:x.git", "main", git.Access(key="/root/deploy key"))

    assert asked.env["GIT_SSH_COMMAND"] == (
        "ssh -o BatchMode=yes -i '/root/deploy key' -o IdentitiesOnly=yes"
    )


def test_code_and_body_of_an_answer_are_told_apart() -> None:
    assert curl.parse_answer(f"two\nlines{curl.MARK}204") == (204, "two\nlines")
    assert curl.parse_answer("") == (0, "")


def test_free_bytes_and_files_are_read() -> None:
    told = "/dev/sda1 100 50 40 56% /mnt/a b\n/dev/sda1 1000 400 600 40% /mnt/a b\n"

    assert disk.parse_free(told) == (40 * 1024, 600)


def test_a_file_system_that_counts_no_files_is_no_trouble() -> None:
    assert disk.parse_free("/dev/x 100 50 40 56% /\n/dev/x 0 0 0 - /\n") == (40 * 1024, None)


def test_folders_are_listed_newest_first() -> None:
    assert tree.parse_folders("1.5 old one\n3.0 new\n2.0 b\n2.0 a\n") == [
        "new",
        "a",
        "b",
        "old one",
    ]


def test_sockets_are_counted_by_port_and_state() -> None:
    told = (
        "  sl  local_address rem_address   st\n"
        "   0: 0100007F:0BB8 00000000:0000 0A\n"
        "   1: 0100007F:0BB8 0100007F:C001 01\n"
        "   2: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A\n"
    )

    assert network.count(told, 3000, network.LISTEN) == 2
    assert network.count(told, 3000, network.ESTABLISHED) == 1


def test_owners_of_a_port_are_named_once() -> None:
    told = 'LISTEN 0 5 *:80 *:* users:(("nginx",pid=1,fd=6),("nginx",pid=2,fd=6))\n'

    assert network.parse_owners(told) == {"nginx"}


def test_included_requirement_files_are_found() -> None:
    text = "-r base.txt\nuvicorn==0.3 # -r no.txt\n  --constraint=pins.txt\n"

    assert python.nested(text) == ["base.txt", "pins.txt"]
