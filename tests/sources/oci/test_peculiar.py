"""Registries that answer in ways the specification allows, or does not quite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from tests.sources.oci.peculiar import Answered, Peculiar, Twist
from tests.sources.oci.setting import client_to, copied, holds, one, pushed

from changeover.sources.oci import sample
from changeover.sources.oci.authority import parse_challenges
from changeover.sources.oci.connection import Connection, retry_after
from changeover.sources.oci.fault import Corrupt, Denied, ImageFault, Unsupported
from changeover.sources.oci.http1 import Headers, Response
from changeover.sources.oci.media import parse_manifest
from changeover.sources.oci.memory import Fault, MemoryRegistry, Request
from changeover.sources.oci.wire import Answer

LAYERS = (sample.layer(1, 300_000), b"", sample.layer(2, 999))


@pytest.fixture
def target() -> Iterator[Peculiar]:
    with Peculiar() as registry:
        yield registry


def carried(source: MemoryRegistry, target: Peculiar, **given: Any) -> None:
    """Copy an image there, and expect it to be whole with nothing left open."""
    thing = pushed(source, "app", "1", sample.image(LAYERS))
    with client_to(source.host, target.host, **given) as client:
        one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))
    assert holds(target, "app", "1", thing)
    assert target.uploads == {}


def relative(answered: Answered) -> None:
    """Say where an upload goes on beside the address that was asked."""
    if "/uploads/" in answered.path and "Location" in answered.headers:
        answered.headers["Location"] = answered.headers["Location"].rpartition("/")[2]


def questioning(answered: Answered) -> None:
    if answered.headers.get("Location", "").startswith("/v2/app/blobs/uploads/"):
        answered.headers["Location"] += "?_state=a%2Fb&part=1"


def no_range(answered: Answered) -> None:
    answered.headers.pop("Range", None)


def created(answered: Answered) -> None:
    if answered.method == "POST" and answered.status == 202:
        answered.status = 201


def accepted(answered: Answered) -> None:
    if answered.method == "PUT" and answered.status == 201:
        answered.status = 202


@pytest.mark.parametrize("twist", [relative, questioning, no_range, created, accepted])
@pytest.mark.parametrize("largest", [0, 90_000])
def test_uploads_go_where_and_how_the_registry_says(
    source: MemoryRegistry,
    target: Peculiar,
    twist: Twist,
    largest: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("changeover.sources.oci.upload.FIRST_CHUNK", 120_000)
    monkeypatch.setattr("changeover.sources.oci.upload.LEAST_CHUNK", 50_000)
    target.twist, target.manner.largest_body = twist, largest

    carried(source, target)


def test_headers_come_in_small_letters(source: MemoryRegistry, target: Peculiar) -> None:
    target.small_letters = True

    carried(source, target)


def test_a_server_of_http_1_0_is_copied_to(source: MemoryRegistry) -> None:
    with Peculiar(version="HTTP/1.0") as target:
        carried(source, target)


def test_connections_that_are_closed_without_a_word_are_no_fault(
    source: MemoryRegistry, target: Peculiar
) -> None:
    target.hangs_up = True

    carried(source, target)


def test_nothing_is_asked_to_be_packed_on_the_way(source: MemoryRegistry) -> None:
    with Peculiar() as target:
        carried(source, target)

        assert set(target.packing) == {"identity"}


@pytest.mark.parametrize(
    "location",
    ["http://[broken", "http://127.0.0.1:99999/x", "ftp://127.0.0.1/x", "//:80/x"],
)
def test_an_address_that_is_none_is_an_error_in_words(
    source: MemoryRegistry, target: Peculiar, location: str
) -> None:
    pushed(source, "app", "1", sample.image([b"x"]))

    def twist(answered: Answered) -> None:
        if answered.method == "POST":
            answered.headers["Location"] = location

    target.twist = twist
    with client_to(source.host, target.host) as client:
        (failed,) = copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/a:1").failed

    assert "no address" in failed.error


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_requests_that_are_sent_elsewhere_go_there_without_credentials(
    source: MemoryRegistry, target: Peculiar, method: str
) -> None:
    thing = pushed(source, "app", "1", sample.image([b"x"]))
    with Peculiar() as other, client_to(source.host, target.host, other.host) as client:
        other.blobs = target.blobs
        other.uploads = target.uploads
        other.manifests = target.manifests
        to = f"http://{other.host}"

        def sends_away(request: Request) -> Fault | None:
            if request.method != method or (method == "PUT" and "/manifests/" not in request.path):
                return None
            return Fault(status=307, headers=(("Location", f"{to}{request.path}"),))

        target.script = sends_away
        one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

        assert holds(target, "app", "1", thing)
        assert set(other.authorized) == {""}


def test_a_wait_that_is_asked_for_as_a_date_is_kept(
    source: MemoryRegistry, target: Peculiar
) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    target.script = lambda r: Fault(status=429, headers=(("Retry-After", when),))
    pushed(source, "app", "1", sample.image([b"x"]))

    with client_to(source.host, target.host) as client:
        (failed,) = copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/a:1").failed

    assert "429" in failed.error
    assert "asks to wait 7" in failed.error
    assert len(target.requests) == 1
    assert 7000 < (retry_after(when) or 0) < 7201


@pytest.mark.parametrize("lasts", [1, 0, -5, 10**400, "300", None, True])
def test_tokens_last_as_long_as_anybody_can_believe(
    source: MemoryRegistry, target: Peculiar, lasts: object
) -> None:
    thing = pushed(source, "app", "1", sample.image([b"x"]))

    def gives(answered: Answered) -> None:
        answered.status = 200
        answered.body = json.dumps({"access_token": "t", "expires_in": lasts}).encode()

    with Peculiar(twist=gives) as realm:
        target.manner.challenge = (
            f'Negotiate, Basic realm="x, y", Bearer realm="http://{realm.host}/t?a=b",service="s"'
        )
        target.manner.allowed = lambda header: header == "Bearer t"
        with client_to(source.host, target.host, realm.host) as client:
            one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

        assert all(r.query.startswith("a=b&service=s") for r in realm.requests)
    assert holds(target, "app", "1", thing)


@pytest.mark.parametrize("realm", ["https://[x", "https://h:99999/", "https:///", "x", ""])
def test_a_realm_that_is_no_address_is_an_error_in_words(target: Peculiar, realm: str) -> None:
    target.manner.challenge = f'Bearer realm="{realm}"'
    target.manner.allowed = lambda _: False

    with client_to(target.host) as client, pytest.raises(Denied, match="token server"):
        client.registry(target.host).manifest("app", "1")


def test_challenges_are_told_apart_in_one_line_and_in_several() -> None:
    one_line = 'Digest realm="a", nonce="b", Bearer realm="https://c/d?e=f", Basic realm="g"'
    several = ['Digest realm="a"', 'Bearer realm="https://c/d?e=f"', "Basic"]

    schemes = [[c.scheme for c in parse_challenges(said)] for said in ([one_line], several)]

    assert schemes == [["bearer", "basic"]] * 2
    assert parse_challenges([one_line])[0].realm == "https://c/d?e=f"


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://registry.example:443/v2/", True),
        ("https://REGISTRY.example/v2/", True),
        ("https://registry.example:444/v2/", False),
        ("http://registry.example/v2/", False),
        ("https://registry.example.net/v2/", False),
    ],
)
def test_an_address_is_the_registrys_own_however_it_is_written(url: str, own: bool) -> None:
    with client_to() as client:
        connection = client.registry("registry.example").connection

        assert connection.own(url) is own


def test_no_upload_is_sent_in_clear_where_the_registry_speaks_tls() -> None:
    with client_to() as client:
        connection: Connection = client.registry("registry.example").connection
        answer = _answer("https://registry.example/v2/app/blobs/uploads/")

        assert connection.location(answer, "http://registry.example/up/1").startswith("https://")
        with pytest.raises(Unsupported, match="from HTTPS to http"):
            connection.location(answer, "http://elsewhere.example/up/1")


def _answer(url: str) -> Answer:
    response = Response.__new__(Response)
    response.headers, response.status = Headers(), 202
    return Answer(url, response, lambda _: None)


@pytest.mark.parametrize("challenge", ["", "Negotiate", 'Digest realm="x"', "basically nothing"])
def test_a_challenge_nobody_here_can_meet_is_an_error_in_words(
    target: Peculiar, challenge: str
) -> None:
    target.manner.challenge = challenge
    target.manner.allowed = lambda _: False

    with client_to(target.host) as client, pytest.raises(Denied, match="wants credentials"):
        client.registry(target.host).manifest("app", "1")


def test_a_registry_that_refuses_layers_kept_elsewhere_is_told_apart(target: Peculiar) -> None:
    thing = sample.image([b"here"])
    document = json.loads(thing.manifest.body)
    kind = "application/vnd.oci.image.layer.nondistributable.v1.tar"
    away = {"mediaType": kind, "digest": f"sha256:{'3' * 64}", "size": 5, "urls": ["https://x/l"]}
    document["layers"].append(away)
    manifest = parse_manifest(json.dumps(document).encode(), "test")

    def twist(answered: Answered) -> None:
        if answered.method == "PUT" and "/manifests/" in answered.path:
            answered.status = 500

    target.twist = twist
    with client_to(target.host) as client, pytest.raises(ImageFault) as refused:
        client.registry(target.host).put_manifest("app", "1", manifest)

    assert "validation.manifests.urls.allow" in refused.value.remedy


def test_names_that_would_write_to_a_terminal_are_no_tags(target: Peculiar) -> None:
    def twist(answered: Answered) -> None:
        tags = ["good", "\x1b[2J", "\ud800", "a b", "../x", ""]
        answered.status, answered.body = 200, json.dumps({"tags": tags}).encode()

    target.twist = twist
    with client_to(target.host) as client:
        assert client.registry(target.host).tags("app") == ("good",)


def test_half_a_character_in_a_manifest_is_refused() -> None:
    body = json.dumps({"schemaVersion": 2, "manifests": [], "annotations": {"a": "\ud800"}})
    whole = json.dumps({"schemaVersion": 2, "manifests": [], "annotations": {"a": "\U0001f600"}})

    with pytest.raises(Corrupt, match="characters that are none"):
        parse_manifest(body.encode(), "x")
    assert parse_manifest(whole.encode(), "x").annotations == {"a": "\U0001f600"}


@pytest.mark.parametrize("body", [b"[" * 6000, b'{"errors":5}', b'{"errors":[5]}', b"\xff"])
def test_a_complaint_nobody_can_read_is_no_traceback(target: Peculiar, body: bytes) -> None:
    def twist(answered: Answered) -> None:
        answered.status, answered.body = 400, body

    target.twist = twist
    with client_to(target.host) as client, pytest.raises(Unsupported, match="answered 400"):
        client.registry(target.host).manifest("app", "1")
