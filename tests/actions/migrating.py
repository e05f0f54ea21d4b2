"""Scripts that migrate a database, for tests of `postgres.migrate`."""

from __future__ import annotations

import subprocess
from typing import Any

LOG = "CREATE TABLE log (id serial PRIMARY KEY, said text)"


def script(name: str, content: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "content": content, **options}


def add(text: str) -> str:
    return "INSERT INTO log (said) VALUES ('TEXT')".replace("TEXT", text)


def says(number: int) -> dict[str, Any]:
    return script(f"{number:04}", add(str(number)))


def migrate(url: str, *scripts: dict[str, Any], **params: Any) -> dict[str, Any]:
    return {"database": url, "scripts": list(scripts), "backup": "none", **params}


def psql(url: str, sql: str) -> str:
    words = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def said(url: str) -> list[str]:
    return psql(url, "SELECT said FROM log ORDER BY id").splitlines()


def applied(url: str) -> list[str]:
    return psql(
        url, "SELECT name FROM changeover_migrations WHERE applied_at IS NOT NULL ORDER BY 1"
    ).splitlines()
