"""A Debian host with a package of our own, whose configuration files somebody edited."""

from __future__ import annotations

from tests.servers.container import ContainerHost

CONFFILE = "/etc/shop/shop.ini"
UCF_FILE = "/etc/shop/shop.env"

# `make_shop VERSION PORT` builds a package with a conffile and a file that ucf installs.
_PREPARE = r"""
set -eu
mkdir -p /srv/shop
cat >/usr/local/bin/make_shop <<'MAKE'
#!/bin/sh
set -eu
room=$(mktemp -d)
chmod 755 "$room"
mkdir -p "$room/DEBIAN" "$room/etc/shop" "$room/usr/share/shop"
cat >"$room/DEBIAN/control" <<END
Package: shop
Version: $1
Architecture: all
Maintainer: t <t@example.org>
Description: a shop
END
printf '[shop]\nport = %s\nworkers = 2\n' "$2" >"$room/etc/shop/shop.ini"
echo /etc/shop/shop.ini >"$room/DEBIAN/conffiles"
printf 'PORT=%s\nWORKERS=2\n' "$2" >"$room/usr/share/shop/shop.env"
cat >"$room/DEBIAN/postinst" <<'END'
#!/bin/sh
set -e
ucf --three-way /usr/share/shop/shop.env /etc/shop/shop.env
ucfr shop /etc/shop/shop.env
END
chmod 755 "$room/DEBIAN/postinst"
archive=/srv/shop/shop_$(echo "$1" | sed 's/:/%3a/')_all.deb
dpkg-deb --root-owner-group -b "$room" "$archive" >/dev/null
rm -rf "$room"
MAKE
cat >/usr/local/bin/install_shop <<'INSTALL'
#!/bin/sh
set -eu
DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 dpkg --force-confold --force-unsafe-io -i \
    "/srv/shop/shop_$(echo "$1" | sed 's/:/%3a/')_all.deb" >/dev/null 2>&1
INSTALL
chmod 755 /usr/local/bin/make_shop /usr/local/bin/install_shop
"""
_CLEAN = """
dpkg --force-unsafe-io -P shop >/dev/null 2>&1 || :
rm -rf /etc/shop /etc/.git /var/lib/ucf/cache/:etc:shop* /var/cache/apt/archives/shop_*
sed -i '/shop/d' /var/lib/ucf/hashfile* /var/lib/ucf/registry* /var/log/dpkg.log
rm -rf /var/backups/dpkg.status* /var/lib/changeover
"""


def prepare(host: ContainerHost) -> None:
    """Bring the programs that make and install the package."""
    host.run("cat > /root/prepare && sh /root/prepare", stdin=_PREPARE)


def clean(host: ContainerHost) -> None:
    """Forget the package and all that remembers it."""
    host.run(_CLEAN)


def keep_package(host: ContainerHost, version: str) -> None:
    """Leave a package in apt's cache, as apt does."""
    name = f"shop_{version.replace(':', '%3a')}_all.deb"
    host.run(f"mkdir -p /var/cache/apt/archives && cp /srv/shop/{name} /var/cache/apt/archives/")
