"""A title stands once per organization."""

from alembic import op

revision = "17d8ab520e6f"
down_revision = "e96b13fa4c70"


def upgrade() -> None:
    op.execute("CREATE UNIQUE INDEX dataset_title ON dataset (organization_siret, title)")


def downgrade() -> None:
    op.execute("DROP INDEX dataset_title")
