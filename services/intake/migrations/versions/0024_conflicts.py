"""The accused's place in a team, and keyed hashes of the NIPs of accused persons and of staff."""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('accounts', sa.Column('barred', sa.String(length=64), nullable=True))
    op.add_column('complaints', sa.Column('conflict', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('complaints', sa.Column('barred', sa.String(length=64), nullable=True))


def downgrade() -> None:
    _must_hide_no_case()
    op.drop_column('complaints', 'barred')
    op.drop_column('complaints', 'conflict')
    op.drop_column('accounts', 'barred')


def _must_hide_no_case() -> None:
    """Raise RuntimeError where the version before would show a report to the accused, or would not know a conflict."""
    if op.get_bind().execute(sa.text('SELECT 1 FROM complaints WHERE conflict OR barred IS NOT NULL LIMIT 1')).first():
        raise RuntimeError(
            'This database has reports with a conflict of interest, which the version before would show to the accused. '
            'Restore a copy from before the upgrade instead.'
        )
