"""The connection to PostgreSQL, and the ways in which it fails."""

from __future__ import annotations

import asyncio

from asyncpg.exceptions import InterfaceError, PostgresError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

FAILURES = (DBAPIError, PostgresError, InterfaceError, PoolTimeout, OSError, asyncio.TimeoutError)


def create_engine(url: str) -> AsyncEngine:
    return create_async_engine(url, pool_pre_ping=True, pool_size=5, connect_args={"timeout": 5})
