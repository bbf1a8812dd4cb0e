"""Columns for the claim on a case: who claimed it, and when."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('cases', sa.Column('claimed_by', sa.String(length=36), nullable=True))
    op.add_column('cases', sa.Column('claimed_at', UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column('cases', 'claimed_at')
    op.drop_column('cases', 'claimed_by')
