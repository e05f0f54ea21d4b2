"""First tables."""

from alembic import op

revision = "8d1f60c2b7ae"
down_revision = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE organization (siret char(14) PRIMARY KEY, name text NOT NULL, logo_url text)"
    )
    op.execute(
        "CREATE TABLE account (id uuid PRIMARY KEY DEFAULT gen_random_uuid(),"
        " organization_siret char(14) NOT NULL REFERENCES organization,"
        " email text NOT NULL UNIQUE, password_hash text NOT NULL, role text NOT NULL)"
    )
    op.execute(
        "CREATE TABLE dataset (id uuid PRIMARY KEY DEFAULT gen_random_uuid(),"
        " organization_siret char(14) NOT NULL REFERENCES organization,"
        " title text NOT NULL, description text NOT NULL, service text NOT NULL,"
        " created_at timestamptz NOT NULL DEFAULT now())"
    )
    op.execute(
        "CREATE TABLE catalog (organization_siret char(14) PRIMARY KEY REFERENCES organization)"
    )
    op.execute(
        "CREATE TABLE extra_field (id uuid PRIMARY KEY,"
        " organization_siret char(14) NOT NULL REFERENCES catalog, name text NOT NULL,"
        " title text NOT NULL, hint_text text NOT NULL, type text NOT NULL, data json NOT NULL)"
    )
    op.execute("CREATE TABLE tag (id uuid PRIMARY KEY, name text NOT NULL)")
    op.execute("CREATE TABLE dataformat (id serial PRIMARY KEY, name text NOT NULL UNIQUE)")
    op.execute(
        "CREATE TABLE dataset_tag (dataset_id uuid REFERENCES dataset ON UPDATE CASCADE,"
        " tag_id uuid REFERENCES tag, PRIMARY KEY (dataset_id, tag_id))"
    )
    op.execute("CREATE INDEX dataset_created_at ON dataset (created_at DESC, id)")


def downgrade() -> None:
    op.execute("DROP TABLE dataset_tag")
    op.execute("DROP TABLE dataformat")
    op.execute("DROP TABLE tag")
    op.execute("DROP TABLE extra_field")
    op.execute("DROP TABLE catalog")
    op.execute("DROP TABLE dataset")
    op.execute("DROP TABLE account")
    op.execute("DROP TABLE organization")
