"""Names of services are spelled in one way. What they were before is not kept."""

from alembic import op

revision = "e96b13fa4c70"
down_revision = "5a7e2d90c1b8"


def upgrade() -> None:
    op.execute("CREATE TABLE service (name text PRIMARY KEY)")
    op.execute("UPDATE dataset SET service = initcap(btrim(service))")
    op.execute("INSERT INTO service SELECT DISTINCT service FROM dataset")


def downgrade() -> None:
    op.execute("DROP TABLE service")
