"""Table of the reports that websites sent in. Instances of the previous version do not know it, and need not."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'entries',
        sa.Column('ticket', sa.String(length=20), nullable=False),
        sa.Column('website_id', sa.String(length=36), nullable=False),
        sa.Column('reporter_id', sa.String(length=36), nullable=False),
        sa.Column('entered_at', UtcDateTime(), nullable=False),
        sa.Column('code_hash', sa.String(length=64), nullable=False),
        sa.Column('expires_at', UtcDateTime(), nullable=False),
        sa.Column('used_at', UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(['website_id'], ['accounts.id'], name=op.f('fk_entries_website_id')),
        sa.ForeignKeyConstraint(['reporter_id'], ['accounts.id'], name=op.f('fk_entries_reporter_id')),
        sa.PrimaryKeyConstraint('ticket', name=op.f('pk_entries')),
        sa.UniqueConstraint('code_hash', name=op.f('uq_entries_code_hash')),
    )
    op.create_index('ix_entries_own', 'entries', ['website_id', 'entered_at', 'ticket'])


def downgrade() -> None:
    op.drop_table('entries')
