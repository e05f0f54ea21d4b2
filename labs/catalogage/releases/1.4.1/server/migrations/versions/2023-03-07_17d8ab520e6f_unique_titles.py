"""A title stands once per organization; further ones get a number."""

from alembic import op

revision = "17d8ab520e6f"
down_revision = "e96b13fa4c70"


def upgrade() -> None:
    op.execute(
        "UPDATE dataset SET title = title || ' (' || place || ')'"
        " FROM (SELECT id, row_number() OVER (PARTITION BY organization_siret, title"
        " ORDER BY created_at, id) AS place FROM dataset) AS numbered"
        " WHERE numbered.id = dataset.id AND place > 1"
    )
    op.execute("CREATE UNIQUE INDEX dataset_title ON dataset (organization_siret, title)")


def downgrade() -> None:
    op.execute("DROP INDEX dataset_title")
