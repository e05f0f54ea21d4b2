"""Debian's registry behind a token server: scopes, mounts, tokens that run out, users without."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sources.oci.servers import Server, docker_registry
from tests.sources.oci.setting import client_to, copied, one, pushed
from tests.sources.oci.token_server import TokenServer

from changeover.sources.oci import sample
from changeover.sources.oci.client import Client
from changeover.sources.oci.credential import Credential
from changeover.sources.oci.memory import MemoryRegistry, Request
from changeover.sources.oci.order import Status

pytestmark = pytest.mark.live


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[TokenServer]:
    with TokenServer(tmp_path, {"me": "pass", "guest": "g"}, {"me": "m/"}) as server:
        yield server


@pytest.fixture
def guarded(tokens: TokenServer, tmp_path: Path) -> Iterator[Server]:
    with docker_registry(tmp_path / "own", auth=tokens.auth) as server:
        yield server


def client_as(
    user: str, password: str, source: MemoryRegistry, guarded: Server, tokens: TokenServer
) -> Client:
    given = {guarded.host: Credential(user, password)} if user else {}
    return client_to(source.host, guarded.host, tokens.host, given=given)


def test_blobs_are_mounted_with_the_scopes_of_both_repositories(
    source: MemoryRegistry, guarded: Server, tokens: TokenServer
) -> None:
    for name in ("a", "b"):
        pushed(source, name, "1", sample.image([b"shared" * 1000, name.encode()]))

    with client_as("me", "pass", source, guarded, tokens) as client:
        names = [f"{source.host}/{n}:1" for n in "ab"]
        summary = copied(client, names, f"docker://{guarded.host}/m")
        again = copied(client, names, f"docker://{guarded.host}/m")

    assert summary.failed == ()
    assert sum(i.mounted for i in summary.images) == 1
    assert {i.status for i in again.images} == {Status.UNCHANGED}
    assert any(len(scopes) == 2 for scopes in tokens.asked)


def test_a_token_that_runs_out_in_the_middle_is_fetched_again(
    source: MemoryRegistry, guarded: Server, tokens: TokenServer
) -> None:
    thing = pushed(source, "app", "1", sample.image([bytes([n]) * 2000 for n in range(8)]))
    tokens.lasts = 1.5
    late = thing.manifest.blobs[4].digest

    def wait_once(request: Request) -> None:
        if request.method == "GET" and late in request.path:
            time.sleep(3)  # what is awaited is the time itself: the registry counts in seconds

    source.script = wait_once
    with client_as("me", "pass", source, guarded, tokens) as client:
        one(copied(client, [f"{source.host}/app:1"], f"docker://{guarded.host}/m/app:1", jobs=1))
        assert client.registry(guarded.host).resolve("m/app", "1") == thing.digest

    pushes = [s for s in tokens.asked if s == ["repository:m/app:pull,push"]]
    assert len(pushes) > 1


@pytest.mark.parametrize(("user", "password"), [("guest", "g"), ("", ""), ("me", "wrong")])
def test_who_may_not_push_is_told_so_and_what_to_do(
    source: MemoryRegistry, guarded: Server, tokens: TokenServer, user: str, password: str
) -> None:
    pushed(source, "app", "1", sample.image([b"x"]))

    with client_as(user, password, source, guarded, tokens) as client:
        summary = copied(client, [f"{source.host}/app:1"], f"docker://{guarded.host}/m/app:1")

    assert "docker login" in summary.failed[0].remedy
    assert guarded.uploads() == []


def test_everybody_may_pull_without_a_password(
    source: MemoryRegistry, guarded: Server, tokens: TokenServer
) -> None:
    thing = pushed(source, "app", "1", sample.image([b"x"]))
    with client_as("me", "pass", source, guarded, tokens) as client:
        one(copied(client, [f"{source.host}/app:1"], f"docker://{guarded.host}/m/app:1"))

    with client_as("", "", source, guarded, tokens) as client:
        back = one(copied(client, [f"{guarded.host}/m/app:1"], f"docker://{source.host}/back:1"))

    assert back.digest == thing.digest
