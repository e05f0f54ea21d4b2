"""Proxies and mirrors."""

from __future__ import annotations

import dataclasses
import socket
import threading

import pytest
from tests.sources.oci.setting import client_to, copied, holds, one, pushed, quick

from changeover.sources.oci import sample
from changeover.sources.oci.client import Client, Settings
from changeover.sources.oci.fault import Passing
from changeover.sources.oci.memory import MemoryRegistry
from changeover.sources.oci.network import Network
from changeover.sources.oci.patience import Budget


def test_a_proxy_is_given_whole_addresses_and_its_password(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    thing = pushed(source, "app", "1", sample.image([b"x"]))
    environ = {"http_proxy": f"http://me:pw@{source.host}", "no_proxy": "127.0.0.0/8"}

    with client_to("registry.invalid", target.host, environ=environ) as client:
        one(copied(client, ["registry.invalid/app:1"], f"docker://{target.host}/app:1"))

    assert holds(target, "app", "1", thing)
    assert source.requests


@pytest.mark.parametrize(
    ("host", "exceptions", "direct"),
    [
        ("a.example", "example", True),
        ("a.example", ".example", True),
        ("aexample", "example", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("a.example", "*", True),
        ("a.example", "", False),
    ],
)
def test_hosts_are_excepted_as_everywhere(host: str, exceptions: str, direct: bool) -> None:
    environ = {"https_proxy": "http://proxy.example:3128", "NO_PROXY": exceptions}

    found = Network(environ=environ).proxy("https", host)

    assert (found is None) == direct


def test_a_mirror_is_read_from_and_what_it_lacks_comes_from_the_registry(
    source: MemoryRegistry, target: MemoryRegistry
) -> None:
    thing = pushed(source, "app", "1", sample.image([sample.layer(1, 50_000), b"two"]))
    with MemoryRegistry() as mirror:
        pushed(mirror, "hub/app", "1", thing)
        lost = thing.manifest.blobs[2].digest
        del mirror.blobs["hub/app", lost]
        plain = frozenset({source.host, target.host, mirror.host})
        network = Network(plain, environ={"HOME": "/nonexistent"})
        network = dataclasses.replace(network, mirrors={source.host: f"{mirror.host}/hub"})

        with Client(Settings(network, quick())) as client:
            one(copied(client, [f"{source.host}/app:1"], f"docker://{target.host}/app:1"))

        assert holds(target, "app", "1", thing)
        assert [r.path for r in source.requests if "/blobs/" in r.path] == [f"/v2/app/blobs/{lost}"]
        assert any("/blobs/" in r.path for r in mirror.requests)


def test_a_registry_that_is_down_is_replaced_by_its_mirror(target: MemoryRegistry) -> None:
    with MemoryRegistry() as gone:
        host = gone.host
    with MemoryRegistry() as mirror:
        thing = pushed(mirror, "app", "1", sample.image([b"x"]))
        network = Network(
            frozenset({host, target.host, mirror.host}),
            mirrors={host: mirror.host},
            environ={"HOME": "/nonexistent"},
        )

        with Client(Settings(network, quick())) as client:
            one(copied(client, [f"{host}/app:1"], f"docker://{target.host}/app:1"))

    assert holds(target, "app", "1", thing)


def test_a_connection_that_is_cut_while_tls_begins_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"

        def cut() -> None:
            line, _ = server.accept()
            with line:
                line.recv(65536)

        cutting = threading.Thread(target=cut)
        cutting.start()
        with (
            client_to(budget=Budget(attempts=1)) as client,
            pytest.raises(Passing, match=r"cut|reset") as said,
        ):
            client.registry(host).manifest("app", "1")
        cutting.join()

    assert "_ssl.c" not in said.value.message
