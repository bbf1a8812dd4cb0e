"""Remember used boxes, so that none can be replayed."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'used_boxes',
        sa.Column('nonce', sa.String(length=64), nullable=False),
        sa.Column('sealed_at', UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('nonce', name=op.f('pk_used_boxes')))
    op.create_index('ix_used_boxes_sealed_at', 'used_boxes', ['sealed_at'], unique=False)


def downgrade() -> None:
    op.drop_table('used_boxes')
