"""What actions that change a database and can bring it back have in common."""

from __future__ import annotations

from functools import cached_property

from changeover.actions.postgres import database_at
from changeover.actions.postgres_return import WayBack
from changeover.tools.psql import Database


class Returning:
    """An action with the URLs of a database, and with the backup an undo restores."""

    # Fields of the actions: each says in its own words what its own means.
    database: str
    backup: str
    admin: str

    def __post_init__(self) -> None:
        for url in (self.database, self.admin or self.database):
            database_at(url)

    @cached_property
    def _database(self) -> Database:
        return database_at(self.database)

    @cached_property
    def _admin(self) -> Database | None:
        return database_at(self.admin) if self.admin else None

    @cached_property
    def _way(self) -> WayBack:
        return WayBack(self._database, self.backup, self._admin)
