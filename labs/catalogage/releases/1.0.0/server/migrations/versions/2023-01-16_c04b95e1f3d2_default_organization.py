"""The organization everything belongs to until somebody says otherwise."""

from alembic import op

revision = "c04b95e1f3d2"
down_revision = "8d1f60c2b7ae"


def upgrade() -> None:
    op.execute("INSERT INTO organization VALUES ('00000000000000', 'Organisation par défaut')")


def downgrade() -> None:
    op.execute("DELETE FROM organization WHERE siret = '00000000000000'")
