"""The action `images.mirror`: planned with its bytes, found missing in preflight, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.command import Completed
from changeover.hosts.fake import FakeTransport
from changeover.hosts.host import Host
from changeover.images.mirror import Mirror
from changeover.model.plan import Effect
from changeover.sources.oci import sample
from changeover.sources.oci.memory import Fault, MemoryRegistry
from changeover.tools import disk
from tests.sources.oci.servers import docker_registry
from tests.sources.oci.setting import client_to, holds, pushed


@pytest.fixture
def two() -> Iterator[tuple[MemoryRegistry, MemoryRegistry]]:
    with MemoryRegistry() as source, MemoryRegistry() as target:
        yield source, target


@pytest.fixture
def host() -> Host:
    return Host("registry", FakeTransport())


def mirror(source: str, target: str, *names: str) -> Mirror:
    images = tuple(f"{source}/{n}" for n in names)
    return Mirror(to=f"{target}/in", images=images, plain_http=(source, target))


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


def test_it_is_planned_with_its_bytes_copied_and_then_nothing_is_left(
    two: tuple[MemoryRegistry, MemoryRegistry], host: Host
) -> None:
    source, target = two
    thing = pushed(source, "app", "1", sample.image([sample.layer(1, 3 << 20)]))
    action = mirror(source.host, target.host, "app:1")

    change = action.plan(host)
    assert not target.manifests
    action.apply(host, change)
    action.verify(host, change)

    assert change.effect is Effect.CREATE
    assert "copy 1 of 1 images" in change.summary
    assert "3.0 MiB" in change.summary
    assert holds(target, "in/app", "1", thing)
    assert action.plan(host).effect is Effect.NONE


def test_a_missing_image_is_found_while_planning(
    two: tuple[MemoryRegistry, MemoryRegistry], host: Host
) -> None:
    source, target = two
    action = mirror(source.host, target.host, "gone:1")

    findings = list(action.check(host))

    assert findings[0].severity == "fail"
    assert "gone:1" in findings[0].message
    with pytest.raises(ActionFailed, match="gone:1"):
        action.plan(host)


def test_a_registry_one_may_only_read_is_found_in_preflight(
    two: tuple[MemoryRegistry, MemoryRegistry], host: Host
) -> None:
    source, target = two
    pushed(source, "app", "1", sample.image([b"x"]))
    target.script = lambda r: Fault(status=403) if r.method not in ("GET", "HEAD") else None

    findings = list(mirror(source.host, target.host, "app:1").check(host))

    assert "cannot be written" in findings[0].message
    assert findings[0].severity == "fail"


def test_preflight_leaves_nothing_at_the_target(
    two: tuple[MemoryRegistry, MemoryRegistry], host: Host
) -> None:
    source, target = two
    pushed(source, "app", "1", sample.image([sample.layer(1, 5000)]))

    findings = list(mirror(source.host, target.host, "app:1").check(host))

    assert {f.severity for f in findings} == {"pass"}
    assert (target.uploads, target.blobs, target.manifests) == ({}, {}, {})


@pytest.mark.parametrize(("free", "severity"), [(10_000_000, "pass"), (10, "fail")])
def test_room_on_the_host_is_looked_at(
    two: tuple[MemoryRegistry, MemoryRegistry], free: int, severity: str
) -> None:
    source, target = two
    pushed(source, "app", "1", sample.image([sample.layer(1, 500_000)]))
    answer = f"x 1 1 {free} 1% /\nx 1 1 99999 1% /\n"
    host = Host("registry", FakeTransport({str(disk.free("/data")): Completed(0, answer, "")}))
    action = build(
        "images.mirror",
        {
            "images": [f"{source.host}/app:1"],
            "to": target.host,
            "plain_http": [source.host, target.host],
            "unpacked_in": "/data",
        },
    )

    said = [f for f in action.check(host) if "/data" in f.message]

    assert [f.severity for f in said] == [severity]


def test_undo_puts_tags_back_and_removes_only_what_it_brought(
    two: tuple[MemoryRegistry, MemoryRegistry], host: Host
) -> None:
    source, target = two
    for name in ("app", "fresh"):
        pushed(source, name, "1", sample.image([name.encode()]))
    old = pushed(target, "in/app", "1", sample.image([b"old"]))
    action = mirror(source.host, target.host, "app:1", "fresh:1")
    change = action.plan(host)
    action.apply(host, change)

    assert action.plan_undo(host, change).needed
    action.undo(host, change)
    action.undo(host, change)

    assert not action.plan_undo(host, change).needed
    assert change.effect is Effect.UPDATE
    assert holds(target, "in/app", "1", old)
    assert ("in/fresh", "1") not in target.manifests


@pytest.mark.live
def test_with_a_registry_that_only_deletes_by_digest_other_tags_stay(
    two: tuple[MemoryRegistry, MemoryRegistry], host: Host, tmp_path: Path
) -> None:
    source, _ = two
    for name in ("alone", "shared"):
        pushed(source, name, "1", sample.image([name.encode()]))
    with docker_registry(tmp_path / "own") as own:
        images = [f"{source.host}/{n}:1" for n in ("alone", "shared")]
        plain = [source.host, own.host]
        action = build("images.mirror", {"images": images, "to": own.host, "plain_http": plain})
        change = action.plan(host)
        action.apply(host, change)
        with client_to(own.host) as client:
            registry = client.registry(own.host)
            registry.put_manifest("shared", "mine", registry.manifest("shared", "1"))

            with pytest.raises(ActionFailed, match="shared:1: the registry removes no tags"):
                action.undo(host, change)  # type: ignore[attr-defined]  # it is reversible

            assert registry.resolve("alone", "1") is None
            assert registry.resolve("shared", "mine") is not None


@pytest.mark.parametrize(
    "params",
    [
        {"images": ["a:b:c"], "to": "a.example"},
        {"images": ["a:1"], "to": "UPPER/@"},
        {"images": ["a:1"], "to": "a.example", "credentials": {"a.example": "nocolon"}},
    ],
)
def test_wrong_parameters_are_refused_before_anything(params: dict[str, object]) -> None:
    with pytest.raises(InvalidRelease, match=r"images\.mirror"):
        build("images.mirror", params)
