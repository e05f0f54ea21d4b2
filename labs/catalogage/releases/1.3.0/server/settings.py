"""What the server is told by its environment and the file `.env` of the folder it runs in."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dotenv import dotenv_values

PREFIX = "APP_"


@dataclass(frozen=True)
class Settings:
    secret_key: str
    public_url: str
    database_url: str
    server_mode: str = "local"
    host: str = "127.0.0.1"
    port: int = 3579

    @property
    def root_path(self) -> str:
        """Behind nginx the API lives under /api, which nginx takes off."""
        return "/api" if self.server_mode == "live" else ""


def load() -> Settings:
    """The environment wins over the file; a key that is needed and missing ends the program."""
    found = {**dotenv_values(".env"), **os.environ}
    named = {name: found.get(PREFIX + name.upper()) for name in Settings.__dataclass_fields__}
    given = {name: value for name, value in named.items() if value}
    missing = [name for name in ("secret_key", "public_url", "database_url") if name not in given]
    if missing:
        keys = ", ".join(PREFIX + name.upper() for name in missing)
        raise SystemExit(f"settings: missing: {keys}")
    return Settings(**{**given, "port": int(given.get("port", "3579"))})
