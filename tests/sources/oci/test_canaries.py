"""Secrets that were put into every input are nowhere in what is printed or kept."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.sources.oci.counted_tokens import CountedTokens
from tests.sources.oci.setting import pushed

from changeover.sources.oci import sample
from changeover.sources.oci.memory import Fault, MemoryRegistry

CHANGEOVER = [sys.executable, "-m", "changeover.cli.main"]
NAMES = ("inst", "file", "tok", "prx", "bearer")
INSTANCE, FILE, TOKEN, PROXY, GIVEN = (f"c4nary-{n}/+=%" for n in NAMES)


def spellings(secret: str, user: str = "me") -> set[str]:
    """Return a secret as it is, URL-encoded and in base64, alone and in a pair."""
    alone, pair = secret.encode(), f"{user}:{secret}".encode()
    packed = {base64.b64encode(p).decode().rstrip("=") for p in (alone, pair)}
    safe = {base64.urlsafe_b64encode(p).decode().rstrip("=") for p in (alone, pair)}
    return {secret, quote(secret, safe=""), quote(secret), *packed, *safe}


EVERY = {s for secret in (INSTANCE, FILE, TOKEN, PROXY, GIVEN) for s in spellings(secret)}


@pytest.fixture
def tokens() -> Iterator[CountedTokens]:
    with CountedTokens() as server:
        yield server


class Site:
    """An operator's machine: an instance, a Docker configuration, an environment."""

    def __init__(self, folder: Path, source: MemoryRegistry, target: MemoryRegistry) -> None:
        self.folder, self.source, self.target = folder, source, target
        (folder / "docker").mkdir()
        auth = base64.b64encode(f"me:{FILE}".encode()).decode()
        auths = {
            source.host: {"auth": auth, "identitytoken": TOKEN},
            "other.example": {"auth": auth, "registrytoken": GIVEN},
        }
        (folder / "docker" / "config.json").write_text(json.dumps({"auths": auths}))
        self.written()

    def written(self) -> None:
        registries = {
            self.target.host: {
                "plain_http": True,
                "user": "me",
                "password": "{{ secrets.registry }}",
            }
        }
        tree = {
            "format": 1,
            "name": "prod",
            "product": "shop",
            "hubs": ["releases"],
            "hosts": {"here": {"transport": "local", "state_dir": str(self.folder / "state")}},
            "secrets": {"registry": {"file": "registry.secret"}},
            "registries": registries,
        }
        (self.folder / "instance.yaml").write_text(json.dumps(tree))
        (self.folder / "registry.secret").write_text(INSTANCE)

    def run(self, *words: str) -> str:
        environ = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "XDG_STATE_HOME": str(self.folder / "xdg"),
            "DOCKER_CONFIG": str(self.folder / "docker"),
            "https_proxy": f"http://me:{quote(PROXY, safe='')}@127.0.0.1:9",
        }
        done = subprocess.run(
            [*CHANGEOVER, *words, "-i", str(self.folder)],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    def kept(self) -> str:
        """Return all that is on the disk, beside the secrets themselves."""
        own = {self.folder / "registry.secret", self.folder / "docker" / "config.json"}
        files = [p for p in self.folder.rglob("*") if p.is_file() and p not in own]
        return "\n".join(p.read_bytes().decode("utf-8", "replace") for p in files)


def test_no_canary_sings(
    source: MemoryRegistry, target: MemoryRegistry, tokens: CountedTokens, tmp_path: Path
) -> None:
    pushed(source, "app", "1", sample.image([b"x" * 3000]))
    tokens.guard(source)
    site = Site(tmp_path, source, target)
    password = base64.b64encode(f"me:{INSTANCE}".encode()).decode()
    target.manner.challenge = 'Basic realm="x"'
    target.manner.allowed = lambda header: header == f"Basic {password}"
    plain = ["--plain-http", source.host, "--plain-http", tokens.host, "--retry-for", "1"]
    image, to = f"{source.host}/app:1", f"docker://{target.host}/in/app:1"
    (tmp_path / "list.txt").write_text(f"{image}\n")
    copy = ["images", "copy", image, to, *plain]

    said = site.run(*copy, "--dry-run")
    said += site.run(*copy, "-o", "json")
    assert '"copied": 1' in said
    said += site.run("images", "verify", f"{target.host}/in/app:1", "--deep", "-o", "json", *plain)
    said += site.run("images", "list", str(tmp_path / "list.txt"), "-o", "yaml", *plain)
    said += site.run("images", "copy", "secure.example/app:1", to, *plain)
    said += site.run("instance", "show")
    target.manner.allowed = lambda _: False
    said += site.run(*copy)
    target.script = lambda _: Fault(status=500)
    said += site.run(*copy)

    assert len(tokens.asked) > 0
    everything = said + site.kept()
    assert [s for s in EVERY if s in everything] == []


def test_a_broken_configuration_is_named_without_its_content(
    source: MemoryRegistry, target: MemoryRegistry, tmp_path: Path
) -> None:
    site = Site(tmp_path, source, target)
    (tmp_path / "docker" / "config.json").write_text(
        json.dumps({"auths": {source.host: {"auth": f"!!{FILE}"}}})
    )

    source.manner.challenge, source.manner.allowed = 'Basic realm="x"', lambda _: False
    said = site.run("images", "verify", f"{source.host}/app:1", "--plain-http", source.host)

    assert "config.json" in said
    assert [s for s in EVERY if s in said] == []
