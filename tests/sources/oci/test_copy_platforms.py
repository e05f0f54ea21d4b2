"""Images of several platforms: all of them copied, or the one that is asked for."""

from __future__ import annotations

import pytest
from tests.sources.oci.setting import client_to, copied, holds, one, pushed

from changeover.sources.oci import sample
from changeover.sources.oci.media import OCI_INDEX, index_body, parse_manifest
from changeover.sources.oci.memory import MemoryRegistry


def test_an_index_comes_with_every_platform(source: MemoryRegistry, target: MemoryRegistry) -> None:
    both = sample.index({"linux/amd64": sample.image([b"x"]), "linux/arm64": sample.image([b"y"])})
    pushed(source, "app", "1", both)

    with client_to(source.host, target.host) as client:
        one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

    assert holds(target, "app", "1", both)


def test_one_platform_gets_the_tag_and_says_so(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    arm = sample.image([b"y"])
    pushed(
        source, "app", "1", sample.index({"linux/amd64": sample.image([b"x"]), "linux/arm64": arm})
    )

    with client_to(source.host, target.host) as client:
        to = f"docker://{target.host}/app:1"
        result = one(copied(client, [f"{source.host}/app:1"], to, platform="linux/arm64"))

    assert holds(target, "app", "1", arm)
    assert "linux/arm64 alone" in result.note
    assert arm.digest in result.note


def test_a_platform_that_is_not_there_is_refused_with_those_that_are(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    pushed(source, "app", "1", sample.index({"linux/amd64": sample.image([b"x"])}))

    with client_to(source.host, target.host) as client:
        to = f"docker://{target.host}/app:1"
        summary = copied(client, [f"{source.host}/app:1"], to, platform="linux/s390x")

    assert "no image for linux/s390x" in summary.failed[0].error
    assert "linux/amd64" in summary.failed[0].remedy


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ("arm64", "linux/arm64/v8"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/aarch64", "linux/arm64/v8"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
    ],
)
def test_a_platform_is_found_however_it_is_written(
    source: MemoryRegistry, target: MemoryRegistry, asked: str, offered: str
) -> None:
    wanted, other = sample.image([b"wanted"]), sample.image([b"other"])
    pushed(source, "app", "1", sample.index({"linux/s390x": other, offered: wanted}))

    with client_to(source.host, target.host) as client:
        one(
            copied(
                client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1", platform=asked
            )
        )

    assert holds(target, "app", "1", wanted)


def test_a_platform_of_an_index_in_an_index_is_found(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    inner = sample.index({"linux/amd64": sample.image([b"amd64"])})
    entry = inner.manifest.descriptor
    outer = sample.Sample(parse_manifest(index_body((entry,)), "outer", OCI_INDEX), {}, (inner,))
    pushed(source, "app", "1", outer)

    with client_to(source.host, target.host) as client:
        to = f"docker://{target.host}/app"
        one(copied(client, [f"{source.host}/app:1"], f"{to}:1", platform="linux/amd64"))
        (failed,) = copied(client, [f"{source.host}/app:1"], f"{to}:2", platform="linux/arm").failed

    assert holds(target, "app", "1", inner.children[0])
    assert "linux/amd64" in failed.remedy
