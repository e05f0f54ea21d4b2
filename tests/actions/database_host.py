"""A host that is this machine, a database full of odd things, and what a step does with both."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from changeover.actions.base import Action, Reversible
from changeover.actions.builtin import build
from changeover.hosts.connect import connect
from changeover.hosts.host import Host
from changeover.hosts.transport import ShellTransport
from changeover.model.instance import HostSpec
from changeover.model.plan import Change
from tests.servers.postgres import Postgres

NASTY = r"""
CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION citext;
CREATE SCHEMA "Odd ""Schema'"; CREATE SCHEMA empty;
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE TABLE big (id bigserial PRIMARY KEY, at timestamptz DEFAULT '2026-01-01 00:00:00Z', txt text,
  num numeric, f double precision, j jsonb, b bytea, m mood,
  st varchar(9) CHECK (st IN ('a', 'b', 'c')));
INSERT INTO big (txt, num, f, j, b, m, st) SELECT 'row ' || i, i / 7.0, i / 3.0,
  jsonb_build_object('i', i), decode(lpad(to_hex(i), 8, '0'), 'hex'), 'happy', 'b'
  FROM generate_series(1, 100000) i;
CREATE INDEX big_txt ON big (lower(txt)) WHERE st IN ('a', 'b');
CREATE TABLE "Odd ""Schema'"."Täble; DROP" ("Ключ" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "a\tb" text, "日本" citext, dbl int GENERATED ALWAYS AS (posn * 2) STORED, posn posint);
INSERT INTO "Odd ""Schema'"."Täble; DROP" ("a\tb", "日本", posn)
  VALUES (E'tab\there\nline \\ back', 'CaSe', 3), (NULL, '', 4), ('''; DROP TABLE big; --', 'ü', 5);
CREATE TABLE measures (day date NOT NULL, v int, PRIMARY KEY (day, v)) PARTITION BY RANGE (day);
CREATE TABLE measures_1 PARTITION OF measures FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE measures_rest PARTITION OF measures DEFAULT;
INSERT INTO measures SELECT date '2026-01-20' + i, i FROM generate_series(1, 40) i;
CREATE TABLE hen (id int PRIMARY KEY, egg int);
CREATE TABLE egg (id int PRIMARY KEY, hen int REFERENCES hen);
ALTER TABLE hen ADD CONSTRAINT hen_egg FOREIGN KEY (egg) REFERENCES egg
  DEFERRABLE INITIALLY DEFERRED;
BEGIN; INSERT INTO hen VALUES (1, 1); INSERT INTO egg VALUES (1, 1); COMMIT;
CREATE TABLE parent (a int, b text); CREATE TABLE child (c int) INHERITS (parent);
INSERT INTO child VALUES (1, 'x', 2), (1, 'x', 2);
CREATE TABLE nothing (); CREATE TABLE empty.empty (id uuid PRIMARY KEY DEFAULT uuid_generate_v4());
CREATE UNLOGGED TABLE cache (k text); INSERT INTO cache VALUES ('c');
CREATE VIEW happy AS SELECT id, txt FROM big WHERE m = 'happy' AND st IN ('a', 'b');
CREATE MATERIALIZED VIEW counted AS SELECT st, count(*) FROM big GROUP BY st;
CREATE UNIQUE INDEX ON counted (st);
CREATE SEQUENCE lonely INCREMENT -5 START 100 MAXVALUE 1000 MINVALUE -1000;
SELECT nextval('lonely');
CREATE FUNCTION twice(i int) RETURNS int LANGUAGE sql IMMUTABLE AS $f$ SELECT i * 2 $f$;
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN RETURN NEW; END $f$;
CREATE TRIGGER touch BEFORE UPDATE ON hen FOR EACH ROW EXECUTE FUNCTION touched();
CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
COMMENT ON TABLE hen IS 'came''s first'; COMMENT ON COLUMN hen.egg IS 'or not';
GRANT SELECT ON big TO PUBLIC; GRANT UPDATE (txt) ON big TO PUBLIC;
REVOKE EXECUTE ON FUNCTION twice(int) FROM PUBLIC;
SELECT lo_from_bytea(0, decode(repeat('00ff', 600000), 'hex')), lo_create(0);
"""
"""Partitions, generated columns, identity, enums, cycles, large objects, 100,000 rows."""

_numbers = itertools.count(1)


@contextmanager
def this_host(folder: Path) -> Iterator[Host]:
    """Give this machine through the real transport, keeping everything under a folder."""
    spec = HostSpec("here", transport="local", state_dir=str(folder / "state"))
    host = connect(spec)
    try:
        yield host
    finally:
        assert isinstance(host.transport, ShellTransport)
        host.transport.close()


def attempt(host: Host) -> Host:
    """Return the host as seen by a new attempt of a step."""
    return replace(host, key=f"run/step/{next(_numbers)}")


def done(host: Host, use: str, **params: Any) -> Change:
    """Plan, apply and verify a step, as the engine would."""
    action, seen = build(use, params), attempt(host)
    change = action.plan(seen)
    if change.needed:
        action.apply(seen, change)
    action.verify(seen, change)
    return change


def planned_undo(host: Host, action: Action, change: Change) -> Change:
    """Say what an undo would do."""
    assert isinstance(action, Reversible)
    return action.plan_undo(attempt(host), change)


def undone(host: Host, action: Action, change: Change) -> None:
    """Undo a step and see that nothing is left, as the engine would."""
    assert isinstance(action, Reversible)
    seen = attempt(host)
    action.undo(seen, change)
    left = action.plan_undo(seen, change)
    assert not left.needed, left.summary


def look(server: Postgres, name: str) -> list[str]:
    """Return all that a database holds as `pg_dump` writes it, in an order of its own.

    The spelling of a cast changes when an expression is dumped and restored: left out.
    """
    words = ["pg_dump", "-d", server.url(name)]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    plain = re.sub(r"::character varying|::text(\[\])?|[()]", "", text)
    return sorted(line for line in plain.splitlines() if not line.startswith("\\"))
