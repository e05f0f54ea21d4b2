"""Lists of tags and of referrers, in the ways registries give them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.sources.oci.peculiar import Answered, Peculiar, Twist
from tests.sources.oci.setting import client_to, copied, holds, one, pushed

from changeover.sources.oci import sample
from changeover.sources.oci.fault import Passing, Unsupported
from changeover.sources.oci.media import OCI_INDEX
from changeover.sources.oci.memory import MemoryRegistry


@pytest.fixture
def target() -> Iterator[Peculiar]:
    with Peculiar() as registry:
        yield registry


def test_pages_of_tags_are_found_however_they_are_linked(target: Peculiar) -> None:
    with client_to(target.host) as client:
        for number in range(7):
            sample.push(client.registry(target.host), "app", f"v{number}", sample.image([b"x"]))
        target.manner.page = 2

        def twist(answered: Answered) -> None:
            if "Link" in answered.headers:
                last = answered.headers["Link"].partition("last=")[2].partition(">")[0]
                answered.headers["Link"] = (
                    f'<list?last=zzz>; rel="prev", <list?last={last}>; title=more; rel=next'
                )

        target.twist = twist

        assert client.registry(target.host).tags("app") == tuple(f"v{n}" for n in range(7))


def test_pages_without_an_end_are_an_error(target: Peculiar) -> None:
    with client_to(target.host) as client:
        sample.push(client.registry(target.host), "app", "1", sample.image([b"x"]))

        def twist(answered: Answered) -> None:
            answered.headers["Link"] = '<list?last=1>; rel="next"'

        target.twist = twist

        with pytest.raises(Unsupported, match="never end"):
            client.registry(target.host).tags("app")


@pytest.mark.parametrize("body", [b'{"tags": 5}', b"[]", b"<html>", b"", b"\xff"])
def test_what_is_no_list_of_tags_is_an_error_in_words(target: Peculiar, body: bytes) -> None:
    def twist(answered: Answered) -> None:
        answered.status, answered.body = 200, body

    target.twist = twist
    with client_to(target.host) as client, pytest.raises(Passing, match="no JSON"):
        client.registry(target.host).tags("app")


def test_a_repository_whose_tags_are_null_has_none(target: Peculiar) -> None:
    def twist(answered: Answered) -> None:
        answered.status, answered.body = 200, b'{"name": "app", "tags": null}'

    target.twist = twist
    with client_to(target.host) as client:
        assert client.registry(target.host).tags("app") == ()


def signed(registry: MemoryRegistry, name: str, count: int) -> sample.Sample:
    """Put an image with so many signatures into a registry."""
    thing = pushed(registry, name, "1", sample.image([name.encode()]))
    for number in range(count):
        signature = sample.image([b"%d" % number], subject=thing.manifest, kind="test/signature")
        pushed(registry, name, signature.digest, signature)
    return thing


def unknown_without(answered: Answered) -> None:
    """Answer 404 for a manifest nothing refers to."""
    if "/referrers/" in answered.path and not json.loads(answered.body)["manifests"]:
        answered.status = 404
        answered.body = b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}'


def paged(answered: Answered) -> None:
    """Give referrers one by one."""
    path, _, query = answered.path.partition("?")
    if "/referrers/" not in path or answered.status != 200:
        return
    document = json.loads(answered.body)
    at = int(query.partition("=")[2] or 0)
    if at + 1 < len(document["manifests"]):
        answered.headers["Link"] = f'<{path}?at={at + 1}>; rel="next"'
    document["manifests"] = document["manifests"][at : at + 1]
    answered.body = json.dumps(document).encode()


@pytest.mark.parametrize("twist", [unknown_without, paged])
def test_all_referrers_come_along_however_they_are_told(target: Peculiar, twist: Twist) -> None:
    with Peculiar() as source, client_to(source.host, target.host) as client:
        signed(source, "bare", 0)
        signed(source, "app", 3)
        source.twist = twist
        names = [f"{source.host}/bare:1", f"{source.host}/app:1"]
        summary = copied(client, names, f"docker://{target.host}/m", jobs=1)

    assert [(i.error, i.attached) for i in summary.images] == [("", 0), ("", 3)]


def portal(answered: Answered) -> None:
    answered.body, answered.headers["Content-Type"] = b"<html>Welcome</html>", "text/html"


def forbidden(answered: Answered) -> None:
    answered.status, answered.body = 403, b""


def unheard_of(answered: Answered) -> None:
    answered.status, answered.body = 501, b""


def unknown(answered: Answered) -> None:
    answered.status, answered.body = 404, b'{"errors":[{"code":"NAME_UNKNOWN"}]}'


@pytest.mark.parametrize("twist", [portal, forbidden, unheard_of, unknown])
def test_a_registry_that_knows_no_referrers_is_copied_from_and_to(
    target: Peculiar, twist: Twist
) -> None:
    def twisted(answered: Answered) -> None:
        if "/referrers/" in answered.path:
            twist(answered)

    with Peculiar() as source, client_to(source.host, target.host) as client:
        thing = signed(source, "app", 1)
        target.twist = twisted
        one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))
        assert ("app", thing.digest.replace(":", "-")) in target.manifests
        source.twist, target.twist = twisted, lambda _: None
        again = one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/b:1"))

    assert holds(target, "b", "1", thing)
    assert ("referrers may not be read" in again.note) == (twist is forbidden)


def test_damaged_referrers_of_a_registry_that_knows_them_are_no_silence(target: Peculiar) -> None:
    def twist(answered: Answered) -> None:
        if "/referrers/" in answered.path:
            answered.headers["Content-Type"], answered.body = OCI_INDEX, b"{"

    with Peculiar() as source, client_to(source.host, target.host) as client:
        signed(source, "app", 1)
        source.twist = twist
        (failed,) = copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/b:1").failed

    assert "not JSON" in failed.error
