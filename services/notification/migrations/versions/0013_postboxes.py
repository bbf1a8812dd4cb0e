"""Count the letters sent to each address."""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'postboxes',
        sa.Column('postbox', sa.String(length=64), nullable=False),
        sa.Column('places', sa.Text(), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint('postbox', name=op.f('pk_postboxes')),
    )


def downgrade() -> None:
    op.drop_table('postboxes')
