"""Full-text search: a vector for every row, then an index. Takes a while on a full catalogue."""

from alembic import op

revision = "5a7e2d90c1b8"
down_revision = "c04b95e1f3d2"


def upgrade() -> None:
    op.execute("ALTER TABLE dataset ADD COLUMN search tsvector")
    op.execute("UPDATE dataset SET search = to_tsvector('french', title || ' ' || description)")
    op.execute("ALTER TABLE dataset ALTER COLUMN search SET NOT NULL")
    op.execute("CREATE INDEX dataset_search ON dataset USING gin (search)")


def downgrade() -> None:
    op.execute("DROP INDEX dataset_search")
    op.execute("ALTER TABLE dataset DROP COLUMN search")
