"""What dpkg, ucf, rpm and git say about where a file comes from."""

from __future__ import annotations

import base64

import pytest

from changeover.tools import dpkg, git_history, rpm, ucf
from changeover.tools.texts import parse_texts


@pytest.mark.parametrize(
    ("output", "owner"),
    [
        ("nginx-common: /etc/nginx/nginx.conf\n", "nginx-common"),
        ("libc6:amd64: /etc/nginx/nginx.conf\n", "libc6"),
        ("libc6:amd64, libc6:i386: /etc/nginx/nginx.conf\n", "libc6"),
        (
            "diversion by lab from: /etc/nginx/nginx.conf\n"
            "diversion by lab to: /etc/nginx/nginx.conf.dist\n"
            "nginx-common: /etc/nginx/nginx.conf\n",
            "nginx-common",
        ),
        ("local diversion from: /etc/nginx/nginx.conf\n", ""),
        ("other: /srv/etc/nginx/nginx.conf\n", ""),
        ("", ""),
    ],
)
def test_the_owner_of_a_file_is_read_past_diversions_and_architectures(
    output: str, owner: str
) -> None:
    assert dpkg.parse_owner(output, "/etc/nginx/nginx.conf") == owner


def test_digests_of_configuration_files_are_read_with_their_remarks() -> None:
    found = dpkg.parse_delivered("1:2.3-4\n /etc/a 0123 obsolete\n /etc/b 4567\n\n")

    assert found == dpkg.Delivered("1:2.3-4", {"/etc/a": "0123", "/etc/b": "4567"})


@pytest.mark.parametrize(
    ("log", "now", "versions"),
    [
        ("<none> 1.0\n1.0 1.1\n1.1 1.2\n", "1.2", ("1.1", "1.0")),
        ("1.0 1.1\n", "1.1", ("1.0",)),
        ("1.0 1.1\n1.1 1.0\n", "1.0", ("1.1",)),
        ("1.0 1.1\n<none> 1.2\n", "1.2", ()),
        ("", "1.0", ()),
    ],
)
def test_versions_before_are_read_from_the_log_the_newest_first(
    log: str, now: str, versions: tuple[str, ...]
) -> None:
    assert dpkg.parse_past_versions(log, now) == versions


def test_ucf_tells_cache_owner_and_digests_each_once() -> None:
    packed = base64.b64encode(b"A=\xe9\n").decode()

    found = ucf.parse_kept(f"{packed} cache\nowner shop\nmd5 11\nmd5 11\nmd5 22\n")

    assert found == ucf.Kept(b"A=\xe9\n", "shop", ("11", "22"))
    assert ucf.parse_kept("") == ucf.Kept()


def test_rpm_names_owner_and_digest() -> None:
    assert rpm.parse_owner("shop 1.0-1\n") == ("shop", "1.0-1")
    assert rpm.parse_owner("file /etc/x is not owned by any package\n") == ("", "")
    assert rpm.parse_digest("/etc/a\tff\n/etc/b\t\n", "/etc/a") == "ff"
    assert rpm.parse_digest("/etc/a\tff\n/etc/b\t\n", "/etc/b") == ""


def test_the_history_of_a_file_is_read_and_broken_lines_are_passed_over() -> None:
    found = git_history.parse_versions("b1 d1 c1 2026-01-02\nhalf a line\n")

    assert found == (git_history.Version("b1", "d1", "c1", "2026-01-02"),)


def test_names_with_blanks_come_along_and_what_is_no_text_is_passed_over() -> None:
    packed = base64.b64encode(b"x").decode()

    assert list(parse_texts(f"{packed} a b\n!! c\n")) == [("a b", b"x")]
