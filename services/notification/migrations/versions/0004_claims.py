"""Columns for the claim on a case: who claimed it, and when."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('answers', sa.Column('claimed_by', sa.String(length=36), nullable=True))
    op.add_column('answers', sa.Column('claimed_at', UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column('answers', 'claimed_at')
    op.drop_column('answers', 'claimed_by')
