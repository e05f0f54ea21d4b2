"""Networks and registries that misbehave."""

from __future__ import annotations

import threading

import pytest
from tests.sources.oci.misbehaving import LAYER, Script, first
from tests.sources.oci.setting import client_to, copied, holds, one, pushed

from changeover.sources.oci import sample
from changeover.sources.oci.memory import Fault, MemoryRegistry, Request
from changeover.sources.oci.order import Status


@pytest.mark.parametrize(
    ("where", "script"),
    [
        ("source", first(3, "GET", "/blobs/", Fault(cut_after=100_000))),
        ("source", first(2, "GET", "/blobs/", Fault(status=503))),
        ("source", first(2, "GET", "/manifests/", Fault(status=502))),
        ("source", first(1, "GET", "/manifests/", Fault(cut_after=10))),
        ("source", first(1, "GET", "/blobs/", Fault(flip=5))),
        ("target", first(2, "PUT", "/uploads/", Fault(cut_after=300_000))),
        ("target", first(2, "PUT", "/uploads/", Fault(status=500))),
        (
            "target",
            first(2, "POST", "/uploads/", Fault(status=429, headers=(("Retry-After", "0"),))),
        ),
        ("target", first(2, "PUT", "/manifests/", Fault(status=500))),
        ("target", first(2, "HEAD", "/blobs/", Fault(cut_after=0, status=500))),
        ("target", first(1, "PUT", "/uploads/", Fault(status=404))),
    ],
)
def test_what_goes_away_is_tried_again(
    source: MemoryRegistry, target: MemoryRegistry, where: str, script: Script
) -> None:
    thing = pushed(source, "app", "1", sample.image([LAYER, b"small"]))
    (source if where == "source" else target).script = script

    with client_to(source.host, target.host) as client:
        one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

    assert holds(target, "app", "1", thing)
    assert target.uploads == {}


def test_a_download_goes_on_where_it_broke_off(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    thing = pushed(source, "app", "1", sample.image([LAYER]))
    source.script = first(1, "GET", thing.manifest.blobs[1].digest, Fault(cut_after=600_000))
    seen: list[str] = []

    with client_to(source.host, target.host) as client:
        one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))
        seen += [r.method for r in target.requests if "/uploads/" in r.path]

    assert seen.count("PUT") == 2  # the layer's and the configuration's: the target noticed nothing
    assert target.received() < len(LAYER) + 10_000


def test_a_source_that_ignores_ranges_is_read_past(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    source.manner.ranges = False
    thing = pushed(source, "app", "1", sample.image([LAYER]))
    source.script = first(1, "GET", thing.manifest.blobs[1].digest, Fault(cut_after=600_000))

    with client_to(source.host, target.host) as client:
        one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

    assert holds(target, "app", "1", thing)


def test_an_upload_goes_on_where_the_target_kept_it(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    thing = pushed(source, "app", "1", sample.image([LAYER]))
    target.script = first(1, "PUT", "/uploads/", Fault(cut_after=600_000))

    with client_to(source.host, target.host) as client:
        one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

    patched = [r.size for r in target.requests if r.method == "PATCH"]
    assert patched == [len(LAYER) - 600_000] or patched == []
    assert holds(target, "app", "1", thing)


@pytest.mark.parametrize("chunk_status", [202, 200])
def test_a_proxy_that_limits_bodies_gets_chunks(
    source: MemoryRegistry,
    target: MemoryRegistry,
    chunk_status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("changeover.sources.oci.upload.FIRST_CHUNK", 400_000)
    monkeypatch.setattr("changeover.sources.oci.upload.LEAST_CHUNK", 50_000)
    target.manner.largest_body, target.manner.chunk_status = 150_000, chunk_status
    thing = pushed(source, "app", "1", sample.image([LAYER]))

    with client_to(source.host, target.host) as client:
        one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

    assert holds(target, "app", "1", thing)


def test_a_stall_is_cut_and_tried_again(source: MemoryRegistry, target: MemoryRegistry) -> None:
    thing = pushed(source, "app", "1", sample.image([LAYER]))
    over = threading.Event()
    source.script = first(1, "GET", "/blobs/", Fault(stall=over))

    with client_to(source.host, target.host, silence=2) as client:
        one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))
    over.set()

    assert holds(target, "app", "1", thing)


def test_a_registry_without_digest_headers_is_copied_from_and_to(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    source.manner.digest_header = target.manner.digest_header = False
    thing = pushed(source, "app", "1", sample.image([b"x"]))

    with client_to(source.host, target.host) as client:
        to = f"docker://{target.host}/app:1"
        one(copied(client, [f"{source.host}/app:1"], to))
        again = one(copied(client, [f"{source.host}/app:1"], to))

    assert holds(target, "app", "1", thing)
    assert again.status is Status.UNCHANGED


def test_a_tag_that_moves_in_the_middle_gives_one_image_or_the_other(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    old = pushed(source, "app", "1", sample.image([b"old"]))
    new = sample.image([b"new"])
    pushed(source, "app", "2", new)

    def moves(request: Request) -> None:
        if "/blobs/" in request.path:
            source.manifests["app", "1"] = source.manifests["app", "2"]

    source.script = moves

    with client_to(source.host, target.host) as client:
        result = one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

    assert result.digest == old.digest
    assert holds(target, "app", "1", old)


def test_damage_at_the_source_never_reaches_the_target(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    thing = pushed(source, "app", "1", sample.image([LAYER]))
    victim = thing.manifest.blobs[1].digest
    source.blobs["app", victim] = LAYER[:-1] + b"?"

    with client_to(source.host, target.host) as client:
        summary = copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1")

    assert "the source's bytes are" in summary.failed[0].error
    assert ("app", victim) not in target.blobs
    assert target.uploads == {}


@pytest.mark.parametrize(
    ("size", "why"), [("5368709120", "more than 4 MiB"), ("4194305", "more than 4 MiB")]
)
def test_a_huge_manifest_is_refused_by_its_header(
    source: MemoryRegistry, target: MemoryRegistry, size: str, why: str
) -> None:
    headers = (("Content-Length", size), ("Content-Type", "application/json"))
    source.script = first(9, "GET", "/manifests/", Fault(status=200, headers=headers))

    with client_to(source.host, target.host) as client:
        summary = copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1")

    assert why in summary.failed[0].error


def test_a_manifest_of_almost_4_mib_is_copied(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    many = {f"linux/a{n}": sample.image([]) for n in range(1)}
    index = sample.index(many)
    child = index.manifest.children[0].document()
    child["annotations"] = {"long": "x" * (4 * 1024 * 1024 - 600)}
    from changeover.sources.oci.media import OCI_INDEX, canonical, parse_manifest  # noqa: PLC0415

    body = canonical({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]})
    big = sample.Sample(parse_manifest(body, "test"), {}, index.children)
    pushed(source, "app", "1", big)

    with client_to(source.host, target.host) as client:
        one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

    assert holds(target, "app", "1", big)


def test_schema_1_is_refused_clearly(source: MemoryRegistry, target: MemoryRegistry) -> None:
    body = b'{"schemaVersion": 1, "name": "app", "tag": "1", "fsLayers": [], "signatures": []}'
    source.manifests["app", "1"] = (
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        body,
    )

    with client_to(source.host, target.host) as client:
        summary = copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1")

    assert "schema 1" in summary.failed[0].error
    assert summary.failed[0].remedy
