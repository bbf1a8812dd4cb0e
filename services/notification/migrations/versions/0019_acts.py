"""What happens in a journey besides its steps, such as files that are added to a report."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'acts',
        sa.Column('event_id', sa.String(length=200), nullable=False),
        sa.Column('ticket', sa.String(length=20), nullable=False),
        sa.Column('type', sa.String(length=100), nullable=False),
        sa.Column('at', UtcDateTime(), nullable=False),
        sa.Column('files', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('event_id', name=op.f('pk_acts')),
    )
    op.create_index(op.f('ix_acts_ticket'), 'acts', ['ticket'])


def downgrade() -> None:
    op.drop_table('acts')
