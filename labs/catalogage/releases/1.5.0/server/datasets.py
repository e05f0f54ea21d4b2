"""Rows of the catalogue."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

COLUMNS = "id, organization_siret, title, description, service, created_at, summary"


def shown(row: Any) -> dict[str, Any]:
    return {name: value if value is None else str(value) for name, value in row._mapping.items()}


async def count(connection: AsyncConnection) -> int:
    return int((await connection.execute(text("SELECT count(*) FROM dataset"))).scalar_one())


async def page(connection: AsyncConnection, number: int, size: int) -> list[dict[str, Any]]:
    rows = await connection.execute(
        text(
            f"SELECT {COLUMNS} FROM dataset ORDER BY created_at DESC, id LIMIT :size OFFSET :skip"
        ),
        {"size": size, "skip": (number - 1) * size},
    )
    return [shown(row) for row in rows]


async def search(connection: AsyncConnection, words: str, size: int) -> list[dict[str, Any]]:
    rows = await connection.execute(
        text(
            f"SELECT {COLUMNS} FROM dataset, websearch_to_tsquery('french', :words) AS wanted"
            " WHERE search @@ wanted ORDER BY ts_rank(search, wanted) DESC, id LIMIT :size"
        ),
        {"words": words, "size": size},
    )
    return [shown(row) for row in rows]


async def one(connection: AsyncConnection, identity: str) -> dict[str, Any] | None:
    rows = await connection.execute(
        text(f"SELECT {COLUMNS} FROM dataset WHERE id = CAST(:id AS uuid)"),
        {"id": identity},
    )
    row = rows.first()
    return shown(row) if row else None


async def create(connection: AsyncConnection, fields: dict[str, str]) -> str:
    row = await connection.execute(
        text(
            "INSERT INTO dataset (organization_siret, title, description, service, search, summary)"
            " VALUES (:organization_siret, :title, :description, :service,"
            " to_tsvector('french', CAST(:title AS text) || ' ' || CAST(:description AS text)),"
            " :summary)"
            " RETURNING id"
        ),
        fields,
    )
    return str(row.scalar_one())
