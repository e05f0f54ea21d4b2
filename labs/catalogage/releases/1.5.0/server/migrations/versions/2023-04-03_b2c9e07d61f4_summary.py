"""A summary beside the description. Code that does not know it goes on working."""

from alembic import op

revision = "b2c9e07d61f4"
down_revision = "17d8ab520e6f"


def upgrade() -> None:
    op.execute("ALTER TABLE dataset ADD COLUMN summary text")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY dataset_service ON dataset (service)")


def downgrade() -> None:
    op.execute("DROP INDEX dataset_service")
    op.execute("ALTER TABLE dataset DROP COLUMN summary")
