"""Copies between registries in memory: what is sent, what is not, and what comes along."""

from __future__ import annotations

import pytest
from tests.sources.oci.setting import client_to, copied, holds, one, pushed

from changeover.sources.oci import sample
from changeover.sources.oci.fault import BadReference
from changeover.sources.oci.memory import MemoryRegistry
from changeover.sources.oci.order import Status


def test_an_image_arrives_with_the_same_bytes(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    thing = pushed(source, "app", "1", sample.image([sample.layer(1, 300_000), b""]))

    with client_to(source.host, target.host) as client:
        result = one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/new:2"))

    assert result.status is Status.COPIED
    assert holds(target, "new", "2", thing)
    assert target.uploads == {}


def test_a_second_copy_asks_for_every_blob_and_sends_none(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    pushed(source, "app", "1", sample.image([b"one", b"two"]))
    with client_to(source.host, target.host) as client:
        copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1")
        target.requests.clear()

        result = one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

    asked = [r for r in target.requests if r.method == "HEAD" and "/blobs/" in r.path]
    assert result.status is Status.UNCHANGED
    assert len(asked) == 3
    assert target.received() == 0


def test_a_blob_two_images_share_is_sent_once_and_mounted(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    shared = sample.layer(1, 100_000)
    first = pushed(source, "a", "1", sample.image([shared, b"a"]))
    second = pushed(source, "b", "1", sample.image([shared, b"b"]))

    with client_to(source.host, target.host) as client:
        summary = copied(
            client, [f"{source.host}/a:1", f"{source.host}/b:1"], f"docker://{target.host}/m"
        )

    assert summary.failed == ()
    assert holds(target, "m/a", "1", first)
    assert holds(target, "m/b", "1", second)
    assert sum(i.mounted for i in summary.images) == 1
    assert target.received() < 2 * len(shared)


def test_a_refused_mount_uses_the_session_it_was_given(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    target.manner.mounts = False
    shared = sample.layer(1, 50_000)
    for name in ("a", "b"):
        pushed(source, name, "1", sample.image([shared, name.encode()]))

    with client_to(source.host, target.host) as client:
        sources = [f"{source.host}/a:1", f"{source.host}/b:1"]
        summary = copied(client, sources, f"docker://{target.host}/m")

    begun = [r for r in target.requests if r.method == "POST"]
    ended = [r for r in target.requests if r.method == "PUT" and "/uploads/" in r.path]
    assert summary.failed == ()
    assert len(begun) == len(ended)
    assert target.uploads == {}


@pytest.mark.parametrize(
    ("there", "here"), [(True, True), (True, False), (False, True), (False, False)]
)
def test_signatures_come_along_between_registries_with_and_without_referrers(
    source: MemoryRegistry, target: MemoryRegistry, there: bool, here: bool
) -> None:
    source.manner.referrers, target.manner.referrers = there, here
    image = pushed(source, "app", "1", sample.image([b"x"]))
    stem = image.digest.replace(":", "-")
    attestation = sample.image([b"attests"], subject=image.manifest)
    cosign = sample.image([b"signs"])
    pushed(source, "app", attestation.digest, attestation)
    pushed(source, "app", f"{stem}.sig", cosign)

    with client_to(source.host, target.host) as client:
        to = f"docker://{target.host}/app:1"
        result = one(copied(client, [f"{source.host}/app:1"], to))
        found = client.registry(target.host).referrers("app", image.digest)
        if not here:
            found = client.registry(target.host).manifest("app", stem).children

    assert result.attached == 2
    assert holds(target, "app", f"{stem}.sig", cosign)
    assert [d.digest for d in found] == [attestation.digest]


def test_a_fallback_tag_is_merged_and_not_overwritten(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    target.manner.referrers = False
    image = sample.image([b"x"])
    pushed(source, "app", "1", image)
    pushed(target, "app", "1", image)
    ours = sample.image([b"ours"], subject=image.manifest)
    theirs = sample.image([b"theirs"], subject=image.manifest)
    pushed(target, "app", ours.digest, ours)
    pushed(source, "app", theirs.digest, theirs)

    with client_to(source.host, target.host) as client:
        copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1")
        index = client.registry(target.host).manifest("app", image.digest.replace(":", "-"))

    assert {d.digest for d in index.children} == {ours.digest, theirs.digest}


def test_tags_come_page_by_page(source: MemoryRegistry) -> None:
    source.manner.page = 2
    for tag in "abcde":
        pushed(source, "app", tag, sample.image([tag.encode()]))

    with client_to(source.host) as client:
        assert client.registry(source.host).tags("app") == ("a", "b", "c", "d", "e")


def test_an_overwritten_tag_is_named_with_its_old_digest(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    pushed(source, "app", "1", sample.image([b"new"]))
    old = pushed(target, "app", "1", sample.image([b"old"]))

    with client_to(source.host, target.host) as client:
        sources, to = [f"{source.host}/app:1"], f"docker://{target.host}/app:1"
        planned = one(copied(client, sources, to, dry_run=True))
        result = one(copied(client, sources, to))

    assert planned.status is Status.PLANNED
    assert planned.bytes == result.bytes
    assert planned.overwrote == result.overwrote == old.digest


def test_a_dry_run_writes_nothing(source: MemoryRegistry, target: MemoryRegistry) -> None:
    pushed(source, "app", "1", sample.image([b"new"]))

    with client_to(source.host, target.host) as client:
        copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1", dry_run=True)

    assert {r.method for r in target.requests} <= {"GET", "HEAD"}


def test_two_sources_for_one_target_are_refused(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    pushed(source, "app", "1", sample.image([b"x"]))
    pushed(target, "app", "1", sample.image([b"y"]))

    with (
        client_to(source.host, target.host) as client,
        pytest.raises(BadReference, match=r"both .* and .* would be copied"),
    ):
        copied(
            client, [f"{source.host}/app:1", f"{target.host}/app:1"], f"docker://{target.host}/m"
        )


def test_a_tag_with_a_digest_checks_both(source: MemoryRegistry, target: MemoryRegistry) -> None:
    pushed(source, "app", "1", sample.image([b"x"]))
    wrong = "sha256:" + "0" * 64

    with client_to(source.host, target.host) as client:
        to = f"docker://{target.host}/app:1"
        summary = copied(client, [f"{source.host}/app:1@{wrong}"], to)

    assert f"not {wrong}" in summary.failed[0].error


def test_one_missing_image_does_not_stop_the_others(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    good = [pushed(source, f"app{n}", "1", sample.image([bytes([n])])) for n in range(4)]

    with client_to(source.host, target.host) as client:
        sources = [f"{source.host}/app{n}:1" for n in range(5)]
        summary = copied(client, sources, f"docker://{target.host}/m")

    assert [i.source for i in summary.failed] == [f"{source.host}/app4:1"]
    assert "not there" in summary.failed[0].error
    assert all(holds(target, f"m/app{n}", "1", g) for n, g in enumerate(good))


def test_within_one_registry_blobs_are_mounted(source: MemoryRegistry) -> None:
    thing = pushed(source, "app", "1", sample.image([sample.layer(1, 100_000)]))

    with client_to(source.host) as client:
        one(copied(client, [f"{source.host}/app:1"], f"docker://{source.host}/copy:1"))

    assert holds(source, "copy", "1", thing)
    assert source.received() == 0


def test_an_empty_blob_at_the_target_is_replaced(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    thing = pushed(source, "app", "1", sample.image([b"layer"]))
    pushed(target, "app", "1", thing)
    victim = thing.manifest.blobs[1].digest
    target.blobs["app", victim] = b""

    with client_to(source.host, target.host) as client:
        result = one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

    assert result.repaired == 1
    assert target.blobs["app", victim] == b"layer"


def test_a_corrupt_blob_of_the_right_size_is_found_when_asked(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    thing = pushed(source, "app", "1", sample.image([b"layer"]))
    pushed(target, "app", "1", thing)
    victim = thing.manifest.blobs[1].digest
    target.blobs["app", victim] = b"Layer"

    with client_to(source.host, target.host) as client:
        to = f"docker://{target.host}/app:1"
        result = one(copied(client, [f"{source.host}/app:1"], to, deep=True))

    assert result.repaired == 1
    assert target.blobs["app", victim] == b"layer"


def test_a_registry_that_keeps_the_bad_bytes_is_reported_with_the_remedy(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    thing = pushed(source, "app", "1", sample.image([b"layer"]))
    pushed(target, "app", "1", thing)
    victim = thing.manifest.blobs[1].digest
    target.blobs["app", victim] = target.kept[victim] = b"Layer"
    target.manner.keeps_bad = True

    with client_to(source.host, target.host) as client:
        to = f"docker://{target.host}/app:1"
        summary = copied(client, [f"{source.host}/app:1"], to, deep=True)

    assert "keeps the damaged bytes" in summary.failed[0].error
    assert victim.partition(":")[2] in summary.failed[0].remedy
