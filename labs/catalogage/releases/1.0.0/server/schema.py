"""Which revision of the database this code was written for, and which one the database has."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

ROOT = Path(__file__).resolve().parents[1]


def known_revisions() -> list[str]:
    """Every revision this code knows, the newest first."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "server" / "migrations"))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]


async def current_revision(connection: AsyncConnection) -> str:
    row = await connection.execute(text("SELECT version_num FROM alembic_version"))
    return str(row.scalar_one_or_none())


def judge(current: str, known: list[str]) -> str:
    """A newer schema than this code knows is accepted: compatible migrations come first."""
    if current == known[0]:
        return "ok"
    return "behind" if current in known or current == "None" else "newer"
