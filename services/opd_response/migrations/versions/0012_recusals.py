"""Accounts that stepped aside from a case."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'recusals',
        sa.Column('ticket', sa.String(length=20), nullable=False),
        sa.Column('whom', sa.String(length=64), nullable=False),
        sa.Column('at', UtcDateTime(), nullable=False),
        sa.Column('by', sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint('ticket', 'whom', name=op.f('pk_recusals')),
    )


def downgrade() -> None:
    _must_hide_no_case()
    op.drop_table('recusals')


def _must_hide_no_case() -> None:
    """Raise RuntimeError where a case is hidden from somebody, to whom the version before would show it."""
    if op.get_bind().execute(sa.text('SELECT 1 FROM recusals LIMIT 1')).first():
        raise RuntimeError(
            'This database hides cases from members of staff, to whom the version before would show them. Restore a '
            'copy from before the upgrade instead.'
        )
