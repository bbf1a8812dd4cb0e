"""The accused's place in a team, and the keyed hash of the accused's NIP."""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('cases', sa.Column('conflict', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('cases', sa.Column('barred', sa.String(length=64), nullable=True))


def downgrade() -> None:
    _must_hide_no_case()
    op.drop_column('cases', 'barred')
    op.drop_column('cases', 'conflict')


def _must_hide_no_case() -> None:
    """Raise RuntimeError where the version before would show a case to the accused, or would not know a conflict."""
    if op.get_bind().execute(sa.text('SELECT 1 FROM cases WHERE conflict OR barred IS NOT NULL LIMIT 1')).first():
        raise RuntimeError(
            'This database has cases with a conflict of interest, which the version before would show to the accused. '
            'Restore a copy from before the upgrade instead.'
        )
