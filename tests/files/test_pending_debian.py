"""What dpkg and ucf leave on a real Debian host, merged and cleaned up by the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from changeover.cli.main import changeover
from tests.bases.debian import CONFFILE, UCF_FILE, clean, keep_package, prepare
from tests.servers.container import ContainerHost

pytestmark = pytest.mark.docker

INSTANCE = """
format: 1
name: prod
product: shop
hosts:
  web1: {{address: {name}, user: root, ssh_config: {config}}}
"""


@pytest.fixture(scope="module")
def prepared(container_host: ContainerHost) -> Iterator[ContainerHost]:
    prepare(container_host)
    container_host.run("make_shop 1:1.0 80; make_shop 1:1.1 8000")
    yield container_host
    clean(container_host)


@pytest.fixture
def upgraded(prepared: ContainerHost) -> ContainerHost:
    """A host whose package was upgraded under edits: workers here, port in the new reference."""
    clean(prepared)
    prepared.run(
        "install_shop 1:1.0; chown www-data:adm /etc/shop/shop.ini; chmod 640 /etc/shop/shop.ini"
    )
    prepared.run(f"sed -i 's/workers = 2/workers = 16/' {CONFFILE}; sed -i s/S=2/S=16/ {UCF_FILE}")
    keep_package(prepared, "1:1.0")
    prepared.run("install_shop 1:1.1")
    return prepared


@pytest.fixture
def instance(tmp_path: Path, upgraded: ContainerHost) -> Path:
    text = INSTANCE.format(name=upgraded.name, config=upgraded.config)
    (tmp_path / "instance.yaml").write_text(text)
    return tmp_path


def pending(instance: Path, *words: str) -> Result:
    return CliRunner().invoke(changeover, ["files", "pending", "-i", str(instance), *words])


def rows(done: Result) -> dict[str, dict[str, Any]]:
    return {row["leftover"]: row for row in json.loads(done.stdout)}


def test_leftovers_are_listed_with_base_and_settings(instance: Path) -> None:
    done = pending(instance, "/etc/shop", "-o", "json")

    found = rows(done)
    assert done.exit_code == 1
    assert list(found) == [f"{UCF_FILE}.ucf-dist", f"{CONFFILE}.dpkg-dist"]
    assert all(row["sure"] for row in found.values())
    assert [
        (s["path"], s["base"], s["ours"], s["theirs"], s["state"])
        for s in found[f"{CONFFILE}.dpkg-dist"]["settings"]
    ] == [("shop.port", "80", "80", "8000", "there"), ("shop.workers", "2", "16", "2", "here")]


def test_they_are_merged_and_cleaned_up_and_owners_stay(
    instance: Path, upgraded: ContainerHost
) -> None:
    done = pending(instance, "/etc/shop", "--apply")

    assert done.exit_code == 0, done.output
    assert "2 of 2 merged and cleaned up" in done.output
    assert upgraded.run(f"cat {CONFFILE}") == "[shop]\nport = 8000\nworkers = 16\n"
    assert upgraded.run(f"cat {UCF_FILE}") == "PORT=8000\nWORKERS=16\n"
    assert upgraded.run(f"stat -c '%a %U:%G' {CONFFILE}").strip() == "640 www-data:adm"
    assert upgraded.run("ls /etc/shop").split() == ["shop.env", "shop.ini"]
    assert pending(instance, "/etc/shop").exit_code == 0


def test_the_file_as_it_was_is_kept_for_root_alone(instance: Path, upgraded: ContainerHost) -> None:
    before = upgraded.run(f"cat {CONFFILE}")

    found = rows(pending(instance, "/etc/shop", "--apply", "-o", "json"))

    kept = found[f"{CONFFILE}.dpkg-dist"]["kept"]
    assert upgraded.run(f"cat {kept}; stat -c %a {kept}") == before + "600\n"


def test_a_conflict_stays_until_it_is_answered(instance: Path, upgraded: ContainerHost) -> None:
    upgraded.run(f"sed -i 's/port = 80/port = 8080/' {CONFFILE}")

    first = pending(instance, "/etc/shop", "--apply")
    second = pending(instance, "/etc/shop", "--apply", "--answer", "shop.port=ours")

    assert (first.exit_code, second.exit_code) == (1, 0)
    assert "1 conflict: shop.port" in first.output
    assert upgraded.run(f"cat {CONFFILE}") == "[shop]\nport = 8080\nworkers = 16\n"
    answers = (instance / "answers.yaml").read_text()
    assert "8080" not in answers
    assert f"{CONFFILE}:" in answers


def test_dpkg_old_is_what_was_edited_here(instance: Path, upgraded: ContainerHost) -> None:
    upgraded.run(f"mv {CONFFILE} {CONFFILE}.dpkg-old; mv {CONFFILE}.dpkg-dist {CONFFILE}")

    done = pending(instance, "/etc/shop", "--apply")

    assert done.exit_code == 0, done.output
    assert upgraded.run(f"cat {CONFFILE}") == "[shop]\nport = 8000\nworkers = 16\n"
    assert "dpkg-old" not in upgraded.run("ls /etc/shop")


def test_after_a_merge_the_next_upgrade_finds_its_base(
    instance: Path, upgraded: ContainerHost
) -> None:
    pending(instance, "/etc/shop", "--apply")
    upgraded.run("make_shop 1:1.2 9000; install_shop 1:1.2")
    keep_package(upgraded, "1:1.1")
    upgraded.run("cp /var/lib/dpkg/status-old /var/backups/dpkg.status.0")

    done = pending(instance, "/etc/shop", "--apply", "--guesses")

    assert done.exit_code == 0, done.output
    assert upgraded.run(f"cat {CONFFILE}") == "[shop]\nport = 9000\nworkers = 16\n"


def test_what_the_program_that_reads_a_file_refuses_is_not_written(
    instance: Path, upgraded: ContainerHost
) -> None:
    upgraded.run(
        "mkdir -p /etc/ssh/sshd_config.d /run/sshd; cd /etc/ssh/sshd_config.d;"
        " echo 'PermitRootLogin yes' > lab.conf;"
        " printf 'PermitRootLogin yes\\nNoSuchOption yes\\n' > lab.conf.dpkg-dist"
    )

    done = pending(instance, "/etc/ssh/sshd_config.d", "--apply", "--guesses")

    left = upgraded.run("cat /etc/ssh/sshd_config.d/lab.conf")
    upgraded.run("rm -f /etc/ssh/sshd_config.d/lab.conf*")
    assert done.exit_code == 1
    assert "sshd refuses it" in done.output
    assert "NoSuchOption" in done.output
    assert left == "PermitRootLogin yes\n"
