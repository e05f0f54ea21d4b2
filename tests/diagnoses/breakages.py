"""Ways to really break a host of the data catalogue, what the doctor says, how to mend it."""

from __future__ import annotations

from dataclasses import dataclass

SITE = "/etc/nginx/sites-enabled/catalogage.conf"
CODE = "/root/catalogage"
TLS = "/etc/ssl/catalogage"
RESTARTED = "supervisorctl restart server >/dev/null || true"
POSTGRES = "postgresql@15-main.service"


@dataclass(frozen=True)
class Breakage:
    """One fault, made by hand on the host."""

    name: str
    breaks: str
    """A script for the host."""
    kind: str
    """The kind of fault that must be found."""
    says: str
    """What must stand in its cause or evidence."""
    mends: str = ""
    """The remedy, done by hand; empty where `--fix` mends it."""
    seen: bool = True
    """Whether users notice."""


def _edited(path: str, old: str, new: str) -> str:
    return f"sed -i 's#{old}#{new}#' {path}"


def _moved_to_small_disk(options: str) -> str:
    """PostgreSQL's folder on a disk of its own, as small as said."""
    return (
        f"systemctl stop {POSTGRES}; cp -a /var/lib/postgresql /root/pg.kept;"
        f" mount -t tmpfs -o {options} tmpfs /var/lib/postgresql;"
        " chown postgres: /var/lib/postgresql; cp -a /root/pg.kept/. /var/lib/postgresql/;"
        f" systemctl start {POSTGRES}"
    )


BACK_TO_OWN_DISK = (
    f"systemctl stop {POSTGRES}; rm -f /var/lib/postgresql/filler; rm -rf /root/pg.kept;"
    " cp -a /var/lib/postgresql /root/pg.kept; umount /var/lib/postgresql;"
    " rm -rf /var/lib/postgresql; mv /root/pg.kept /var/lib/postgresql;"
    f" systemctl start {POSTGRES}"
)
KEEP_DATABASE = (
    "supervisorctl stop server >/dev/null; cd /;"
    " runuser -u postgres -- psql -qc 'CREATE DATABASE kept TEMPLATE catalogage OWNER catalogage'"
)
BRING_DATABASE_BACK = (
    "supervisorctl stop server >/dev/null; cd /;"
    " runuser -u postgres -- psql -qc 'DROP DATABASE catalogage WITH (FORCE)'"
    " -c 'ALTER DATABASE kept RENAME TO catalogage'"
)


HOLDING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holder'"


def _checkout(version: str) -> str:
    return f"git -C {CODE} checkout -q {version}"


def _upgraded(version: str) -> str:
    return f"{_checkout(version)}; cd {CODE}; venv/bin/alembic upgrade head >/dev/null 2>&1 || true"


WITH_PUBLIC_URL = f"grep -q PUBLIC {CODE}/.env || echo 'APP_PUBLIC_URL=\"x\"' >>{CODE}/.env"
FIRST = f"{_checkout('1.0.0')}; sed -i /PUBLIC/d {CODE}/.env"

BREAKAGES = (
    Breakage("process", "supervisorctl stop server", "program-down", "server was stopped"),
    Breakage(
        "crash",
        _edited(f"{CODE}/server/main.py", "^def main", "raise RuntimeError(42)\\ndef main")
        + f"; {RESTARTED}",
        "crash-loop",
        "RuntimeError: 42",
        f"git -C {CODE} checkout -q -- server; {RESTARTED}",
    ),
    Breakage(
        "taken",
        "supervisorctl stop client; systemd-run -q --unit=squatter python3 -m http.server"
        " -b 127.0.0.1 3000; for i in $(seq 100); do ss -Hltn | grep -q ':3000 ' && break;"
        " sleep 0.1; done;"
        " supervisorctl start client || true",
        "crash-loop",
        "its port 3000 is taken by python3",
        "systemctl stop squatter; supervisorctl start client",
    ),
    Breakage(
        "port-of-program",
        _edited(f"{CODE}/.env", 'PORT="3579"', 'PORT="3590"') + f"; {RESTARTED}",
        "program-port",
        'APP_PORT="3590',
        _edited(f"{CODE}/.env", 'PORT="3590"', 'PORT="3579"') + f"; {RESTARTED}",
    ),
    Breakage(
        "port-in-nginx",
        _edited(SITE, ":3579;", ":3999;") + "; systemctl reload nginx",
        "nginx-port",
        f"{SITE}:6 sends to 3999, where nobody listens",
        _edited(SITE, ":3999;", ":3579;") + "; systemctl reload nginx",
    ),
    Breakage(
        "configuration",
        f"echo 'oops on;' >>{SITE}; systemctl stop nginx",
        "nginx-configuration-broken",
        f'{SITE}:34: unknown directive "oops"',
        f"sed -i '/oops/d' {SITE}; systemctl start nginx",
    ),
    Breakage(
        "configuration-unnoticed",
        f"echo 'oops on;' >>{SITE}",
        "nginx-configuration-broken",
        "it serves with the old one until it is restarted",
        f"sed -i '/oops/d' {SITE}; systemctl reload nginx",
        seen=False,
    ),
    Breakage(
        "file-missing",
        f"mv {TLS}/server.key {TLS}/gone; systemctl stop nginx",
        "nginx-configuration-missing",
        f"is missing: {TLS}/server.key",
        f"mv {TLS}/gone {TLS}/server.key; systemctl start nginx",
    ),
    Breakage("nginx", "systemctl stop nginx", "nginx-down", "nginx does not run"),
    Breakage(
        "not-reloaded",
        f"touch -d '+10 seconds' {SITE}",
        "nginx-not-reloaded",
        f"changed since it was loaded: {SITE}",
        f"touch -d '-1 hour' {SITE}",
        seen=False,
    ),
    Breakage(
        "migration",
        f"{KEEP_DATABASE}; {WITH_PUBLIC_URL}; {_upgraded('1.2.0')}; {_upgraded('1.4.0')};"
        " supervisorctl start server",
        "migration-half-done",
        "e96b13fa4c70 is applied, 17d8ab520e6f is not",
        f"{BRING_DATABASE_BACK}; {FIRST}; supervisorctl start server",
    ),
    Breakage(
        "behind",
        f"{_checkout('1.2.0')}; {RESTARTED}",
        "schema-behind",
        "it wants 5a7e2d90c1b8, the schema is c04b95e1f3d2",
        f"{FIRST}; {RESTARTED}",
    ),
    Breakage(
        "ahead",
        f"{KEEP_DATABASE}; {_upgraded('1.2.0')}; {FIRST}; supervisorctl start server",
        "schema-ahead",
        "does not know 5a7e2d90c1b8",
        f"{BRING_DATABASE_BACK}; supervisorctl start server",
        seen=False,
    ),
    Breakage(
        "certificate-ending",
        f"cp {TLS}/server.crt {TLS}/kept.crt; cp {TLS}/soon.crt {TLS}/server.crt;"
        " systemctl reload nginx",
        "certificate-ending",
        "ends in 5 days",
        f"mv {TLS}/kept.crt {TLS}/server.crt; systemctl reload nginx",
        seen=False,
    ),
    Breakage(
        "certificate-expired",
        f"cp {TLS}/server.crt {TLS}/kept.crt; cp {TLS}/late.crt {TLS}/server.crt;"
        " systemctl reload nginx",
        "certificate-expired",
        "has expired",
        f"mv {TLS}/kept.crt {TLS}/server.crt; systemctl reload nginx",
    ),
    Breakage(
        "certificate-not-loaded",
        f"cp -p {TLS}/server.crt {TLS}/kept.crt; cp {TLS}/soon.crt {TLS}/server.crt",
        "certificate-not-loaded",
        "nginx serves another certificate of localhost than there is on disk",
        f"mv {TLS}/kept.crt {TLS}/server.crt; systemctl reload nginx",
        seen=False,
    ),
    Breakage(
        "renewal",
        "mkdir -p /etc/letsencrypt/renewal; touch /etc/letsencrypt/renewal/localhost.conf",
        "renewal-not-scheduled",
        "nothing renews the certificate of localhost",
        "rm -r /etc/letsencrypt",
        seen=False,
    ),
    Breakage(
        "disk",
        _moved_to_small_disk("size=400m") + "; dd if=/dev/zero of=/var/lib/postgresql/filler bs=1M"
        f" 2>/dev/null; systemctl restart {POSTGRES}; true",
        "disk-full",
        "/var/lib/postgresql is full",
        BACK_TO_OWN_DISK,
    ),
    Breakage(
        "inodes",
        "mount -t tmpfs -o size=20m,nr_inodes=40 tmpfs /tmp; i=0;"
        " while touch /tmp/small-$i 2>/dev/null; do i=$((i+1)); done",
        "disk-out-of-inodes",
        "/tmp takes no more files",  # noqa: S108 - of the host that is broken
        "umount /tmp",
        seen=False,
    ),
    Breakage("database", f"systemctl stop {POSTGRES}", "database-down", "does not answer"),
    Breakage(
        "connections",
        "cd /; supervisorctl stop server; runuser -u postgres -- psql -qc"
        f" 'ALTER SYSTEM SET max_connections = 8'; systemctl restart {POSTGRES};"
        " for i in 1 2 3 4 5 6; do systemd-run -q --unit=holder$i --uid=postgres"
        " -p Restart=always -p RestartSec=0.3 -p StartLimitIntervalSec=0 psql -d"
        ' "$(sed -n \'s/^APP_DATABASE_URL="postgresql+asyncpg\\(.*\\)"/postgresql\\1/p\''
        f" {CODE}/.env)?application_name=holder\" -c 'SELECT pg_sleep(3600)'; done;"
        " for i in $(seq 200); do"
        f' [ "$(runuser -u postgres -- psql -Atc "{HOLDING}")" = 5 ] && break; sleep 0.1; done;'
        " supervisorctl start server",
        "database-full",
        "5 active, of role catalogage from holder",
        "cd /; systemctl stop 'holder*'; runuser -u postgres -- psql -qc"
        f" 'ALTER SYSTEM RESET max_connections'; systemctl restart {POSTGRES}",
    ),
    Breakage(
        "password",
        "cd /; runuser -u postgres -- psql -qc \"ALTER ROLE catalogage PASSWORD 'other'\" -c"
        " \"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'catalogage'\"",
        "database-login",
        "refuses the login of catalogage (the instance's `databases`)",
        "PASSWORD",
    ),
    Breakage(
        "password-of-application",
        f"sed -i 's#catalogage:[^@]*@#catalogage:secret-and-wrong@#' {CODE}/.env; {RESTARTED}",
        "database-login",
        f"refuses the login of catalogage (APP_DATABASE_URL in {CODE}/.env)",
        "ENV",
    ),
    Breakage(
        "clock",
        "echo 'SetEnv LD_PRELOAD=/opt/libfaketime.so.1 FAKETIME=+10m' "
        " >/etc/ssh/sshd_config.d/clock.conf; systemctl reload ssh",
        "clock-off",
        "the clock is 10 min ahead",
        "rm /etc/ssh/sshd_config.d/clock.conf; systemctl reload ssh",
        seen=False,
    ),
    Breakage("supervisor", "systemctl stop supervisor", "supervisor-down", "does not run"),
)

PAIRS = (
    ("disk", "nginx"),
    ("process", "certificate-ending"),
    ("crash", "inodes"),
    ("port-in-nginx", "password-of-application"),
    ("database", "taken"),
    ("migration", "clock"),
    ("supervisor", "renewal"),
    ("configuration", "connections"),
    ("certificate-expired", "port-of-program"),
    ("behind", "file-missing"),
)
"""Two at once; neither may hide the other."""


def breakage(name: str) -> Breakage:
    """Return one by its name."""
    return next(found for found in BREAKAGES if found.name == name)
