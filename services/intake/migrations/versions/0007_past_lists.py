"""Keep replaced versions of the catalogue and the roster."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'past_lists',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=20), nullable=False),
        sa.Column('content', sa.Text(), nullable=False),
        sa.Column('replaced_at', UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_past_lists')))
    op.create_index('ix_past_lists', 'past_lists', ['name', 'replaced_at'], unique=False)


def downgrade() -> None:
    op.drop_table('past_lists')
