from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.errors import ChangeoverError
from changeover.sources.oci.fault import BadReference
from changeover.sources.oci.reference import parse_place, parse_reference

SHA = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("nginx:1.25", "docker.io/library/nginx:1.25"),
        ("bitnami/redis:7", "docker.io/bitnami/redis:7"),
        ("docker.io/nginx", "docker.io/library/nginx"),
        ("index.docker.io/a/b", "docker.io/a/b"),
        ("localhost/app", "localhost/app"),
        ("localhost:5000/app:1", "localhost:5000/app:1"),
        ("docker://host.example/a/b:1", "host.example/a/b:1"),
        (f"host.example/a@{SHA}", f"host.example/a@{SHA}"),
        (f"host.example/a:1@{SHA}", f"host.example/a:1@{SHA}"),
        ("[::1]:5000/a:1", "[::1]:5000/a:1"),
        ("oci:/some/dir:v1", "oci:/some/dir:v1"),
        ("oci:dir:host.example:5000/a/b:1", "oci:dir:host.example:5000/a/b:1"),
        ("docker-archive:file.tar", "docker-archive:file.tar"),
    ],
)
def test_a_reference_means_what_it_means_in_the_field(written: str, meant: str) -> None:
    assert str(parse_reference(written)) == meant


@pytest.mark.parametrize(
    "written",
    [
        "",
        "host.example/UPPER",
        "a:",
        "a:b:c",
        "a@sha256:12",
        "http://x/y",
        "oci:",
        "a//b",
        "-x",
        "host.example/",
        "a b",
    ],
)
def test_a_wrong_reference_is_refused_with_what_is_wrong(written: str) -> None:
    with pytest.raises(BadReference) as refused:
        parse_reference(written)

    assert repr(written) in refused.value.message
    assert refused.value.remedy


def test_a_target_may_be_a_registry_alone() -> None:
    assert parse_place("docker://localhost:5000").host == "localhost:5000"
    assert parse_place("docker://localhost:5000/pre/fix/").name == "pre/fix"


@given(st.text(max_size=80))
def test_no_text_breaks_the_parser(written: str) -> None:
    try:
        parsed = parse_reference(written)
    except ChangeoverError:
        return
    assert parse_reference(str(parsed)) == parsed or parsed.kind != "docker"
