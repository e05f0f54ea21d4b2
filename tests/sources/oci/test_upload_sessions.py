"""Sessions of uploads that came to nothing: cancelled now, or by a later run."""

from __future__ import annotations

from pathlib import Path

from tests.sources.oci.misbehaving import LAYER, first
from tests.sources.oci.setting import client_to, copied, pushed

from changeover.sources.oci import sample
from changeover.sources.oci.memory import Fault, MemoryRegistry
from changeover.sources.oci.reference import parse_place


def test_a_failed_upload_leaves_no_session(source: MemoryRegistry, target: MemoryRegistry) -> None:
    pushed(source, "app", "1", sample.image([LAYER]))
    target.script = first(999, "PUT", "/uploads/", Fault(status=500))

    with client_to(source.host, target.host) as client:
        summary = copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1")

    assert "500" in summary.failed[0].error
    assert target.uploads == {}


def test_a_session_a_dead_run_left_is_cancelled_by_the_next(
    target: MemoryRegistry, tmp_path: Path
) -> None:
    from changeover.sources.oci.uploads import Session, UploadLog  # noqa: PLC0415

    target.uploads["abc123"] = bytearray(b"half")
    log = UploadLog(tmp_path)
    url = f"http://{target.host}/v2/app/blobs/uploads/abc123"
    log.opened(Session(target.host, "app", url))
    log.end()

    with client_to(target.host, uploads=tmp_path) as client:
        from changeover.sources.oci.places import Places  # noqa: PLC0415

        Places(client).target(parse_place(f"docker://{target.host}/app"))

    assert target.uploads == {}
    assert list(tmp_path.iterdir()) == []


def test_a_session_that_cannot_be_reached_now_is_cancelled_by_the_run_after(
    target: MemoryRegistry, tmp_path: Path
) -> None:
    from changeover.sources.oci.uploads import Session, UploadLog  # noqa: PLC0415

    target.uploads["abc123"] = bytearray(b"half")
    log = UploadLog(tmp_path)
    log.opened(Session(target.host, "app", f"http://{target.host}/v2/app/blobs/uploads/abc123"))
    log.end()
    target.script = first(1, "DELETE", "/uploads/", Fault(status=503))

    for _ in range(2):
        with client_to(target.host, uploads=tmp_path) as client:
            client.registry(target.host).uploader.cancel_abandoned()

    assert target.uploads == {}
    assert list(tmp_path.iterdir()) == []


def test_a_registry_that_will_not_cancel_is_reported(
    target: MemoryRegistry, tmp_path: Path
) -> None:
    from changeover.sources.oci.uploads import Session, UploadLog  # noqa: PLC0415

    target.manner.cancels = False
    target.uploads["abc123"] = bytearray(b"half")
    log = UploadLog(tmp_path)
    log.opened(Session(target.host, "app", f"http://{target.host}/v2/app/blobs/uploads/abc123"))
    log.end()

    with client_to(target.host, uploads=tmp_path) as client:
        client.registry(target.host).uploader.cancel_abandoned()
        assert "would not cancel" in client.notes()[0]
