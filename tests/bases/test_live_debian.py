"""Bases on a real Debian host: dpkg, ucf, their caches and logs, and the history of /etc."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from changeover.bases.find import Known, find_base
from changeover.bases.record import record_base
from changeover.hosts.host import Host
from tests.actions.live import behind
from tests.bases.debian import CONFFILE, UCF_FILE, clean, keep_package, prepare
from tests.servers.container import ContainerHost

pytestmark = pytest.mark.docker

OLD_INI = b"[shop]\nport = 80\nworkers = 2\n"
OLD_ENV = b"PORT=80\nWORKERS=2\n"


@pytest.fixture(scope="module")
def shop(container_host: ContainerHost) -> Iterator[ContainerHost]:
    prepare(container_host)
    container_host.run("make_shop 1:1.0 80; make_shop 1:1.1 8000; make_shop 1:1.2 9000")
    yield container_host
    clean(container_host)


@pytest.fixture
def host(shop: ContainerHost) -> Iterator[Host]:
    clean(shop)
    shop.run("install_shop 1:1.0")
    here = behind(shop)
    yield here
    here.transport.close()


def edit(shop: ContainerHost) -> None:
    shop.run(f"sed -i s/80/8080/ {CONFFILE} {UCF_FILE}")


def test_a_file_nobody_edited_is_its_own_base(host: Host) -> None:
    base = find_base(host, CONFFILE)

    assert base is not None
    assert (base.text, base.sure) == (OLD_INI, True)
    assert base.origin == "shop 1:1.0 (the file was never edited; digest checked)"


def test_an_edited_conffile_has_its_base_in_the_package(host: Host, shop: ContainerHost) -> None:
    edit(shop)
    keep_package(shop, "1:1.0")

    base = find_base(host, CONFFILE)

    assert base is not None
    assert (base.text, base.sure) == (OLD_INI, True)
    assert base.origin == "shop 1:1.0 (shop 1:1.0; digest checked)"


def test_a_package_with_another_content_than_dpkg_remembers_is_no_base(
    host: Host, shop: ContainerHost
) -> None:
    edit(shop)
    shop.run("make_shop 1:1.0 81")
    keep_package(shop, "1:1.0")
    shop.run("make_shop 1:1.0 80")

    assert find_base(host, CONFFILE) is None


def test_a_file_of_ucf_has_its_base_in_the_cache(host: Host, shop: ContainerHost) -> None:
    edit(shop)

    base = find_base(host, UCF_FILE)

    assert base is not None
    assert (base.text, base.sure) == (OLD_ENV, True)
    assert "ucf's cache" in base.origin


@pytest.mark.parametrize(("path", "old"), [(CONFFILE, OLD_INI), (UCF_FILE, OLD_ENV)])
def test_after_an_upgrade_that_kept_the_edit_the_base_is_in_the_package_before(
    host: Host, shop: ContainerHost, path: str, old: bytes
) -> None:
    edit(shop)
    shop.run("install_shop 1:1.1")
    keep_package(shop, "1:1.0")
    keep_package(shop, "1:1.1")

    base = find_base(host, path)

    assert base is not None
    assert (base.text, base.sure) == (old, True)


def test_dpkgs_backups_tell_which_of_the_contents_in_git_was_delivered(
    host: Host, shop: ContainerHost
) -> None:
    shop.run("cp /var/lib/dpkg/status /var/backups/dpkg.status.1; gzip /var/backups/dpkg.status.1")
    commit = "git -C /etc add shop && git -C /etc -c user.name=t -c user.email=t@t commit -qm x"
    shop.run(f"echo '# first' > {CONFFILE}; git -C /etc init -q; {commit}")
    shop.run(f"printf '[shop]\\nport = 80\\nworkers = 2\\n' > {CONFFILE}; {commit}")
    edit(shop)
    shop.run(f"{commit}; install_shop 1:1.1")

    base = find_base(host, CONFFILE)

    assert base is not None
    assert (base.text, base.sure) == (OLD_INI, True)
    assert base.origin.startswith("shop 1:1.0 (git ")


def test_with_two_upgrades_that_kept_the_edit_the_base_is_a_guess(
    host: Host, shop: ContainerHost
) -> None:
    edit(shop)
    shop.run("install_shop 1:1.1; install_shop 1:1.2")
    keep_package(shop, "1:1.0")
    keep_package(shop, "1:1.1")

    base = find_base(host, CONFFILE)

    assert base is not None
    assert not base.sure
    assert base.distance > 0
    assert "a guess" in base.origin


def test_without_a_digest_the_first_commit_of_a_file_is_a_guess(
    host: Host, shop: ContainerHost
) -> None:
    commit = "git -C /etc add shop && git -C /etc -c user.name=t -c user.email=t@t commit -qm x"
    shop.run(f"printf 'a = 1\\nb = 2\\n' > /etc/shop/own.conf; git -C /etc init -q; {commit}")
    shop.run(f"printf 'a = 1\\nb = 3\\n' > /etc/shop/own.conf; {commit}")

    base = find_base(host, "/etc/shop/own.conf")

    assert base is not None
    assert (base.text, base.sure) == (b"a = 1\nb = 2\n", False)


def test_what_was_recorded_counts_more_than_anything(host: Host, shop: ContainerHost) -> None:
    record_base(host, CONFFILE, b"[shop]\nport = 79\n")

    base = find_base(host, CONFFILE, Known({"shop 1": b""}, installed="shop 1"))

    assert base is not None
    assert base.text == b"[shop]\nport = 79\n"
    assert shop.run("stat -c %a /var/lib/changeover/test/bases/*").strip() == "600"


def test_the_host_fetches_the_old_package_where_it_may(host: Host, shop: ContainerHost) -> None:
    edit(shop)
    shop.run(
        "mkdir -p /srv/repo && cp /srv/shop/shop_1%3a1.0_all.deb /srv/repo/shop.deb && cd /srv/repo"
        " && { dpkg-deb -f shop.deb; printf 'Filename: ./shop.deb\\nSize: %s\\nSHA256: %s\\n'"
        ' "$(stat -c %s shop.deb)" "$(sha256sum shop.deb | cut -d" " -f1)"; } > Packages'
        " && echo 'deb [trusted=yes] file:/srv/repo ./' > /etc/apt/sources.list.d/shop.list"
        " && apt-get -qq -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/shop.list"
        " -o Dir::Etc::sourceparts=/nowhere update"
    )

    assert find_base(host, CONFFILE) is None
    base = find_base(host, CONFFILE, Known(download=True))

    shop.run("rm -rf /etc/apt/sources.list.d/shop.list /srv/repo")
    assert base is not None
    assert (base.text, base.sure) == (OLD_INI, True)


def test_another_version_that_has_the_same_file_proves_it_too(
    host: Host, shop: ContainerHost
) -> None:
    edit(shop)
    shop.run("make_shop 1:1.0.1 80")
    keep_package(shop, "1:1.0.1")

    base = find_base(host, CONFFILE)

    assert base is not None
    assert (base.text, base.sure) == (OLD_INI, True)
    assert base.origin == "shop 1:1.0 (shop 1:1.0.1; digest checked)"
