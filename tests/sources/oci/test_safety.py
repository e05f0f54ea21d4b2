"""Credentials: found in every form, refreshed, and never sent to anybody else."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.sources.oci.counted_tokens import CountedTokens
from tests.sources.oci.setting import client_to, copied, holds, one, pushed

from changeover.sources.oci import sample
from changeover.sources.oci.authority import parse_challenges
from changeover.sources.oci.credential import Credential, Keyring
from changeover.sources.oci.fault import Denied
from changeover.sources.oci.memory import Fault, MemoryRegistry, Request

CANARY = "canary-s3cret/+="


@pytest.fixture
def tokens() -> Iterator[CountedTokens]:
    with CountedTokens() as server:
        yield server


def test_a_mount_asks_for_the_scopes_of_both_repositories(
    source: MemoryRegistry, target: MemoryRegistry, tokens: CountedTokens
) -> None:
    for name in ("a", "b"):
        pushed(source, name, "1", sample.image([b"shared", name.encode()]))
    tokens.guard(target)
    given = {target.host: Credential("me", CANARY)}

    with client_to(source.host, target.host, tokens.host, given=given) as client:
        sources = [f"{source.host}/a:1", f"{source.host}/b:1"]
        summary = copied(client, sources, f"docker://{target.host}/m")

    scopes = {tuple(sorted(a.get("scope", []))) for a in tokens.asked}
    assert summary.failed == ()
    assert ("repository:m/a:pull", "repository:m/b:pull,push") in scopes or (
        "repository:m/a:pull,push",
        "repository:m/b:pull",
    ) in scopes


def test_a_token_that_expires_in_the_middle_is_renewed(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    thing = pushed(source, "app", "1", sample.image([bytes([n]) * 1000 for n in range(12)]))
    with CountedTokens(lasts=15) as tokens:
        tokens.guard(target)
        tokens.guard(source)

        with client_to(source.host, target.host, tokens.host) as client:
            one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

    assert holds(target, "app", "1", thing)
    assert target.uploads == {}


def test_an_identity_token_is_exchanged(
    source: MemoryRegistry, target: MemoryRegistry, tokens: CountedTokens
) -> None:
    pushed(source, "app", "1", sample.image([b"x"]))
    tokens.guard(source)
    given = {source.host: Credential(identity_token=CANARY)}

    with client_to(source.host, target.host, tokens.host, given=given) as client:
        one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

    assert tokens.asked[0]["refresh_token"] == [CANARY]
    assert tokens.seen[0] == ""


def test_credentials_are_not_sent_to_a_realm_without_tls_that_nobody_asked_for(
    source: MemoryRegistry, target: MemoryRegistry, tokens: CountedTokens
) -> None:
    pushed(source, "app", "1", sample.image([b"x"]))
    tokens.guard(source)
    given = {source.host: Credential("me", CANARY)}

    with client_to(source.host, target.host, given=given) as client:
        summary = copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1")

    assert "credentials are not sent" in summary.failed[0].error
    assert tokens.asked == []


@pytest.mark.parametrize("kind", ["redirect", "location"])
def test_credentials_do_not_follow_to_another_host(
    source: MemoryRegistry, target: MemoryRegistry, kind: str
) -> None:
    thing = pushed(source, "app", "1", sample.image([b"layer"]))
    with MemoryRegistry() as other:
        pushed(other, "app", "1", thing)
        given = {source.host: Credential("me", CANARY), target.host: Credential("me", CANARY)}
        for registry in (source, target):
            registry.manner.allowed = lambda header: header.startswith("Basic ")
            registry.manner.challenge = 'Basic realm="here"'

        def aside(request: Request) -> Fault | None:
            if request.method == "GET" and "/blobs/sha" in request.path and request.authorization:
                return Fault(307, (("Location", f"http://{other.host}{request.path}"),))
            return None

        def elsewhere(request: Request) -> Fault | None:
            if request.method == "POST" and request.authorization:
                other.uploads["feed"] = bytearray()
                place = f"http://{other.host}/v2/app/blobs/uploads/feed"
                return Fault(202, (("Location", place),))
            return None

        if kind == "redirect":
            source.script = aside
        else:
            target.script = elsewhere
        with client_to(source.host, target.host, other.host, given=given) as client:
            copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1", jobs=1)

        assert other.requests
        assert {r.authorization for r in other.requests} == {""}


def test_a_challenge_after_a_redirect_is_not_answered(
    source: MemoryRegistry, target: MemoryRegistry, tokens: CountedTokens
) -> None:
    pushed(source, "app", "1", sample.image([b"layer"]))
    with MemoryRegistry() as other:
        tokens.guard(other)
        source.script = lambda r: (
            Fault(307, (("Location", f"http://{other.host}{r.path}"),))
            if "/blobs/" in r.path
            else None
        )
        given = {h: Credential("me", CANARY) for h in (source.host, other.host)}

        with client_to(source.host, target.host, other.host, tokens.host, given=given) as client:
            summary = copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1")

    assert "redirects to" in summary.failed[0].error
    assert tokens.asked == []


def test_no_secret_is_in_any_message(source: MemoryRegistry, target: MemoryRegistry) -> None:
    source.manner.allowed = lambda _: False
    source.manner.challenge = 'Basic realm="x"'
    given = {source.host: Credential("me", CANARY)}

    with client_to(source.host, target.host, given=given) as client:
        summary = copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1")

    shown = repr(summary) + repr(given) + repr(client.settings)
    spelled = (CANARY, quote(CANARY, safe=""), base64.b64encode(f"me:{CANARY}".encode()).decode())
    assert "refuses these credentials" in summary.failed[0].error
    assert not any(s in shown for s in spelled)


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def ring(folder: Path, tree: Mapping[str, object], **environ: str) -> Keyring:
    (folder / "config.json").write_text(json.dumps(tree))
    asked = {"one": Credential("helper-one", "1"), "store": Credential("store", "2")}
    return Keyring(
        {"HOME": str(folder), "DOCKER_CONFIG": str(folder), **environ},
        ask=lambda n, _: asked.get(n),
    )


def test_a_hosts_helper_comes_before_the_store_and_both_before_what_is_written(
    tmp_path: Path,
) -> None:
    tree = {
        "credHelpers": {"a.example": "one"},
        "credsStore": "store",
        "auths": {"a.example": auth("file", "3"), "b.example": auth("file", "3")},
    }

    keys = ring(tmp_path, tree)

    assert keys.find("a.example") == Credential("helper-one", "1")
    assert keys.find("b.example") == Credential("store", "2")
    assert ring(tmp_path, {**tree, "credsStore": ""}).find("b.example") == Credential("file", "3")


def test_the_most_precise_path_wins(tmp_path: Path) -> None:
    file = tmp_path / "auth.json"
    tree = {"auths": {"a.example": auth("host", "x"), "a.example/team": auth("team", "y")}}
    file.write_text(json.dumps(tree))

    keys = Keyring({"REGISTRY_AUTH_FILE": str(file)})

    assert keys.find("a.example", "team/app") == Credential("team", "y")
    assert keys.find("a.example", "other/app") == Credential("host", "x")


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io"])
def test_docker_hub_is_known_under_all_its_names(tmp_path: Path, key: str) -> None:
    keys = ring(tmp_path, {"auths": {key: auth("hub", "p:with:colons")}})

    assert keys.find("docker.io", "library/nginx") == Credential("hub", "p:with:colons")


def test_a_helper_is_run_as_the_program_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "docker-credential-mine"
    program.write_text(
        '#!/bin/sh\nread host\necho "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"$host\\"}"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {"a.example": "mine"}}))

    keys = Keyring({"DOCKER_CONFIG": str(tmp_path), "HOME": "/nonexistent"})

    assert keys.find("a.example") == Credential(identity_token="a.example")


@pytest.mark.parametrize(
    "content",
    [
        "not json",
        "[]",
        '{"auths": {"a.example": {"auth": "!!"}}}',
        '{"credHelpers": {"a.example": "../x"}}',
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    keys = Keyring({"DOCKER_CONFIG": str(tmp_path), "HOME": "/nonexistent"})

    with pytest.raises(Denied) as refused:
        keys.find("a.example")

    assert refused.value.message


def test_challenges_are_read_as_they_come() -> None:
    headers = [
        'Bearer realm="https://a/t?x=1,2",service=s,scope="repository:a:pull", Basic realm=b'
    ]

    found = parse_challenges(headers)

    assert [(c.scheme, c.realm) for c in found] == [("bearer", "https://a/t?x=1,2"), ("basic", "b")]
    assert found[0].scope == "repository:a:pull"
