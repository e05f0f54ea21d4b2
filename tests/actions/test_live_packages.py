"""Package actions against apt and dpkg, with a repository of our own on a host of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from tests.actions.live import acting, applied, behind, planned, undone
from tests.servers.container import ContainerHost

pytestmark = pytest.mark.docker

# Packages `shop` 1 and 2 (a service whose upgrade restarts it, a configuration file, a library) and
# `till`, which needs shop. `publish VERSION...` makes the repository offer these versions of shop.
REPOSITORY = r"""
set -eu
mkdir -p /srv/repo /etc/apt/away
# Images are often built with a policy that starts nothing.
[ ! -e /usr/sbin/policy-rc.d ] || mv /usr/sbin/policy-rc.d /root/policy
mv -t /etc/apt/away /etc/apt/sources.list.d/* 2>/dev/null || true
[ ! -e /etc/apt/sources.list ] || mv /etc/apt/sources.list /etc/apt/away/old.list
echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list
build() { # name version depends
    rm -rf /tmp/p && mkdir -p /tmp/p/DEBIAN "/tmp/p/usr/share/$1"
    echo "$2" >"/tmp/p/usr/share/$1/version"
    cat >/tmp/p/DEBIAN/control <<END
Package: $1
Version: $2
Architecture: all
Maintainer: t <t@example.org>
Depends: $3
Provides: $1-by-another-name
Description: t
END
    if [ "$1" = shop ]; then
        mkdir -p /tmp/p/etc/shop /tmp/p/lib/systemd/system
        echo "default $2" >/tmp/p/etc/shop/shop.conf
        echo /etc/shop/shop.conf >/tmp/p/DEBIAN/conffiles
        printf '[Service]\nExecStart=/bin/sleep 9999\n[Install]\nWantedBy=multi-user.target\n' \
            >/tmp/p/lib/systemd/system/shop.service
        cat >/tmp/p/DEBIAN/postinst <<'END'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    systemctl daemon-reload
    systemctl -q enable shop.service
    deb-systemd-invoke "$([ -n "$2" ] && echo restart || echo start)" shop.service
fi
END
        cat >/tmp/p/DEBIAN/prerm <<'END'
#!/bin/sh
[ "$1" != remove ] || deb-systemd-invoke stop shop.service
END
        chmod 755 /tmp/p/DEBIAN/postinst /tmp/p/DEBIAN/prerm
    fi
    dpkg-deb --root-owner-group -b /tmp/p "/srv/$1_$2_all.deb" >/dev/null
}
build shoplib 1 dpkg
build shop 1 shoplib
build shop 2 shoplib
build till 1 shop
cat >/usr/local/bin/publish <<'END'
#!/bin/sh
rm -rf /srv/repo/*
cp /srv/shoplib_1_all.deb /srv/till_1_all.deb /srv/repo
for v; do cp "/srv/shop_${v}_all.deb" /srv/repo; done
cd /srv/repo
for f in *.deb; do
    dpkg-deb -f "$f"
    digest=$(sha256sum "$f")
    printf 'Filename: ./%s\nSize: %s\n' "$f" "$(stat -c %s "$f")"
    printf 'SHA256: %s\n\n' "${digest%% *}"
done >Packages
END
chmod 755 /usr/local/bin/publish
"""


@pytest.fixture(scope="module")
def repository(container_host: ContainerHost) -> Iterator[ContainerHost]:
    container_host.run(
        "cat > /root/repository && sh /root/repository", REPOSITORY.replace("%sDesc", "%bDesc")
    )
    yield container_host
    container_host.run("mv -t /etc/apt/sources.list.d /etc/apt/away/*.sources 2>/dev/null; true")


@pytest.fixture
def host(repository: ContainerHost) -> Iterator[Host]:
    repository.run("publish 1 && apt-get -qq update")
    here = behind(repository)
    yield here
    here.transport.close()
    repository.run("dpkg -P till shop shoplib >/dev/null 2>&1; rm -rf /var/lib/changeover")


def version(container: ContainerHost, name: str) -> str:
    return container.run(f"dpkg-query -W -f '${{Version}}' {name} 2>/dev/null", check=False)


def started(container: ContainerHost) -> str:
    return container.run("systemctl show -P InvocationID shop.service").strip()


def test_packages_are_installed_and_taken_away_again(host: Host, repository: ContainerHost) -> None:
    action, change = applied("packages.install", host, packages=["shop"])

    assert change.diff == "+shop 1\n+shoplib 1\n"
    assert repository.run("systemctl is-active shop.service").strip() == "active"
    undone(action, host, change)
    assert version(repository, "shoplib") == ""
    assert repository.run("ls /usr/sbin/policy-rc.d 2>/dev/null || echo gone").strip() == "gone"


def test_an_upgrade_keeps_edits_and_does_not_restart_and_goes_back(
    host: Host, repository: ContainerHost
) -> None:
    applied("packages.install", host, packages=["shop"])
    repository.run("echo edited > /etc/shop/shop.conf")
    invocation = started(repository)
    repository.run("publish 1 2 && apt-get -qq update")

    action, change = applied("packages.install", host, packages=["shop=2"])

    assert change.summary == "shop 1 -> 2"
    assert repository.run("cat /usr/share/shop/version /etc/shop/shop.conf") == "2\nedited\n"
    assert started(repository) == invocation
    # Only what was kept can bring the old version back now.
    repository.run("publish 2 && apt-get -qq update")
    back = undone(action, host, change)
    assert back.summary == "bring back shop=1"
    assert repository.run("cat /usr/share/shop/version /etc/shop/shop.conf") == "1\nedited\n"


def test_an_old_version_that_can_be_had_nowhere_is_named(
    host: Host, repository: ContainerHost
) -> None:
    applied("packages.install", host, packages=["shop"])
    repository.run("publish 2 && apt-get -qq update")
    action, change = applied("packages.install", host, packages=["shop"], latest=True)
    repository.run("rm -rf /var/lib/changeover/test/store/packages")

    back = undone(action, host, change)

    assert "can be had nowhere any more: shop=1" in back.summary
    assert version(repository, "shop") == "2"


def test_services_are_restarted_where_the_release_says_so(
    host: Host, repository: ContainerHost
) -> None:
    applied("packages.install", host, packages=["shop"])
    invocation = started(repository)
    repository.run("publish 2")

    applied("packages.install", host, packages=["shop"], latest=True, restart_services=True)

    assert started(repository) != invocation


def test_removing_names_what_needs_it_and_goes_back(host: Host, repository: ContainerHost) -> None:
    applied("packages.install", host, packages=["till"])
    with pytest.raises(ActionFailed, match="shop: till would be removed too"):
        build("packages.remove", {"packages": ["shop"]}).plan(host)

    action, change = applied("packages.remove", host, packages=["shop"], allow_others=True)

    assert version(repository, "till") == ""
    undone(action, host, change)
    assert (version(repository, "till"), version(repository, "shop")) == ("1", "1")


def test_a_package_nobody_has_is_an_error_after_a_look_at_fresh_lists(host: Host) -> None:
    action, change = planned("packages.install", host, packages=["no-such-thing"])
    assert "not fresh" in change.unforeseen

    with pytest.raises(ActionFailed, match="Unable to locate package no-such-thing"):
        action.apply(acting(host), change)


def test_a_name_that_another_package_stands_for_is_installed_once(
    host: Host, repository: ContainerHost
) -> None:
    action, change = applied("packages.install", host, packages=["shoplib-by-another-name"])
    action.verify(host, change)

    assert version(repository, "shoplib") == "1"
    _, again = planned("packages.install", host, packages=["shoplib-by-another-name"])
    assert not again.needed
    assert again.summary == "apt-get has nothing to do for shoplib-by-another-name"


def test_an_installation_a_crash_left_half_done_is_finished_first(
    host: Host, repository: ContainerHost
) -> None:
    repository.run("dpkg --unpack /srv/repo/shoplib_1_all.deb >/dev/null")

    applied("packages.install", host, packages=["shop"])

    assert repository.run("dpkg --audit") == ""
