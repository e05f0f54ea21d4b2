"""100 SQL migrations beside the same on plain psycopg: whole processes, interleaved, medians.

Run by `make bench`, or alone: .venv/bin/python -m bench.migrations [--rounds 7]

The peer does what ours does (an advisory lock, a ledger with digests, a transaction for each
script that is refused if its ledger changed) and nothing more: no plan, no comparison afterwards.
Ours is the whole action: plan, apply, verify.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from tests.servers.postgres import Postgres

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = 100

OURS = """
import sys
from changeover.actions.builtin import build
from changeover.hosts.connect import connect
from changeover.model.instance import HostSpec
from dataclasses import replace
url, count, state = sys.argv[1:]
scripts = [{"name": f"{n:04}", "content": f"CREATE TABLE t{n} (id int)"} for n in range(int(count))]
host = connect(HostSpec("here", transport="local", state_dir=state))
host = replace(host, key=url.rpartition("/")[2])
action = build("postgres.migrate", {"database": url, "scripts": scripts, "backup": "none"})
change = action.plan(host)
action.apply(host, change)
action.verify(host, change)
host.transport.close()
"""
PEER = """
import hashlib, sys
import psycopg
url, count, _ = sys.argv[1:]
scripts = [(f"{n:04}", f"CREATE TABLE t{n} (id int)") for n in range(int(count))]
with psycopg.connect(url, autocommit=True) as db:
    db.execute("SELECT pg_advisory_lock(4711)")
    db.execute("CREATE TABLE IF NOT EXISTS ledger (name text PRIMARY KEY, digest text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())")
    known = dict(db.execute("SELECT name, digest FROM ledger").fetchall())
    for name, content in scripts:
        digest = hashlib.sha256(content.encode()).hexdigest()
        if name in known:
            assert known[name] == digest
            continue
        with db.transaction():
            db.execute(content)
            db.execute("INSERT INTO ledger (name, digest) VALUES (%s, %s)", (name, digest))
"""


def main() -> None:
    """Print the medians and their ratio."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--rounds", type=int, default=7)
    rounds = asked.parse_args().rounds
    server = replace(Postgres.temporary(), durable=True)
    server.start()
    try:
        took: dict[str, list[float]] = {"changeover": [], "plain psycopg": []}
        for n in range(rounds):
            for name, program in (("changeover", OURS), ("plain psycopg", PEER)):
                took[name].append(seconds(server, program, f"{name.split(' ', maxsplit=1)[0]}{n}"))
        report({name: statistics.median(times) for name, times in took.items()})
    finally:
        server.remove()


def seconds(server: Postgres, program: str, name: str) -> float:
    """Migrate a new database in a process of its own."""
    url = server.create_database(name)
    words = [sys.executable, "-c", program, url, str(SCRIPTS), str(server.folder / "state")]
    begun = time.monotonic()
    subprocess.run(words, check=True, cwd=ROOT, stdin=subprocess.DEVNULL)
    took = time.monotonic() - begun
    made = server.sql("SELECT count(*) FROM pg_class WHERE relname ~ '^t[0-9]+$'", name)
    assert made == str(SCRIPTS), made
    return took


def report(medians: dict[str, float]) -> None:
    """Print a line for each, and the ratio with its goal."""
    for name, took in medians.items():
        print(f"{SCRIPTS} SQL migrations, {name:<14} {took:6.2f} s")
    ratio = medians["changeover"] / medians["plain psycopg"]
    print(f"ratio {ratio:.2f}   (goal: at most 1.2)")


if __name__ == "__main__":
    main()
