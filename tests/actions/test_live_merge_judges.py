"""Merged files before real judges: nginx with its tree, visudo, and a container's bind mount."""

from __future__ import annotations

import subprocess
import urllib.request
from pathlib import Path

import pytest

from changeover.actions.builtin import build
from changeover.bases.record import record_base
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.hosts.shadow import shadow_of
from changeover.model.findings import Severity
from tests.actions.live import acting, applied, behind, planned, undone
from tests.servers.container import ContainerHost
from tests.servers.nginx import Nginx
from tests.servers.program import await_outcome, free_port


def site(port: int, body: str, more: str = "") -> str:
    return f"server {{\n    listen 127.0.0.1:{port};\n    return 200 {body};\n{more}}}\n"


@pytest.mark.live
def test_nginx_judges_a_site_within_its_tree_and_reads_it(host: Host, nginx: Nginx) -> None:
    port = free_port()
    path = nginx.write_site("shop", site(port, "old", "    add_header X-Mine yes;\n"))
    nginx.reload()
    record_base(host, str(path), site(port, "old").encode())
    words = [*nginx.words[:-2], "-e", str(nginx.folder / "error.log")]
    params = {
        "path": str(path), "tree": str(nginx.folder),
        "validate": [words[0], "-p", str(nginx.folder), "-t", "-q", "-c", "{tree}/nginx.conf"],
        "refresh": [*words, "-s", "reload"],
    }  # fmt: skip

    def seen() -> tuple[str, str | None]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            return answer.read().decode(), answer.headers["X-Mine"]

    action, change = applied("files.merge", host, content=site(port, "new"), **params)
    assert await_outcome(lambda: seen() == ("new", "yes"), 30), seen()
    undone(action, host, change)
    assert await_outcome(lambda: seen() == ("old", "yes"), 30), seen()

    refused = build("files.merge", {**params, "content": site(port, "new", "    no_such 1;\n")})
    (finding,) = [f for f in refused.check(host) if f.severity is Severity.FAIL]
    assert 'unknown directive "no_such"' in finding.message
    assert str(path) in finding.message
    with pytest.raises(ActionFailed, match="unknown directive"):
        refused.apply(acting(host), refused.plan(host))
    assert "no_such" not in path.read_text()


@pytest.mark.docker
def test_visudo_keeps_a_broken_rule_out(container_host: ContainerHost) -> None:
    host = behind(container_host)
    path = "/etc/sudoers.d/shop"
    container_host.run(
        f"printf 'deploy ALL=(ALL) NOPASSWD: /bin/true\\n' > {path}; chmod 440 {path}"
    )
    params = {"path": path, "format": "text", "validate": ["visudo", "-cqf", "{}"]}
    old = "deploy ALL=(ALL) NOPASSWD: /bin/true\n"
    try:
        record_base(host, path, old.encode())
        action, change = planned("files.merge", host, content=old + "broken (\n", **params)
        with pytest.raises(ActionFailed, match="visudo refuses it"):
            action.apply(acting(host), change)
        assert host.read(path) == old.encode()

        rule = "backup ALL=(ALL) NOPASSWD: /bin/false\n"
        action, change = applied("files.merge", host, content=old + rule, **params)

        assert host.read(path) == (old + rule).encode()
        assert host.look(path).mode == 0o440
        undone(action, host, change)
        assert host.read(path) == old.encode()
    finally:
        container_host.run(f"rm -f {path}")
        host.transport.close()


@pytest.mark.docker
def test_a_file_mounted_into_a_container_is_seen_changed_inside(
    container_host: ContainerHost, host: Host, tmp_path: Path
) -> None:
    path = tmp_path / "app.toml"
    path.write_text("port = 8080\nworkers = 2\n")
    record_base(host, str(path), b"port = 80\nworkers = 2\n")
    name = f"changeover-merge-{free_port()}"
    mount = f"type=bind,source={path},target=/app.toml"
    run = ["docker", "run", "-d", "--rm", "--name", name, "--mount", mount]
    run += ["--entrypoint", "sleep", "changeover-host:bookworm", "300"]

    def inside() -> str:
        words = ["docker", "exec", name, "cat", "/app.toml"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    subprocess.run(run, check=True, capture_output=True)
    try:
        params = {"path": str(path), "content": "port = 80\nworkers = 4\n", "mounted": True}
        action, change = applied("files.merge", host, **params)
        assert inside() == "port = 8080\nworkers = 4\n"
        undone(action, host, change)
        assert inside() == "port = 8080\nworkers = 2\n"
    finally:
        subprocess.run(["docker", "rm", "-f", name], check=False, capture_output=True)


@pytest.mark.live
def test_a_site_is_judged_in_the_tree_as_steps_before_will_have_left_it(
    host: Host, nginx: Nginx
) -> None:
    port = free_port()
    default = nginx.write_site("default", site(port, "old").replace(";", " default_server;", 1))
    path = default.with_name("shop.conf")
    content = site(port, "new").replace(";", " default_server;", 1)
    words = [nginx.words[0], "-p", str(nginx.folder), "-t", "-q", "-c", "{tree}/nginx.conf"]
    told = {"path": str(path), "tree": str(nginx.folder), "validate": words, "content": content}
    action, shadow = build("files.merge", told), shadow_of(host)

    def refused() -> list[str]:
        return [f.message for f in action.check(shadow) if f.severity is Severity.FAIL]

    (before,) = refused()
    shadow.remove(str(default))
    assert "duplicate default server" in before
    assert refused() == []
    shadow.write(str(default.with_name("other.conf")), content.encode(), mode=0o644)
    assert "duplicate default server" in refused()[0]
    shadow.link(str(default.with_name("other.conf")), str(path))
    assert "duplicate default server" in refused()[0]
