"""Table of closed complaints, and the indexes by which their rows in outbox and inbox are pruned."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

_sent = sa.text('sent_at IS NOT NULL')
_of_complaint = sa.text('ticket IS NOT NULL')
_kept = sa.text('pruned_at IS NULL')
_pruned = sa.text('pruned_at IS NOT NULL')


def upgrade() -> None:
    op.create_table(
        'closed',
        sa.Column('ticket', sa.String(length=20), nullable=False),
        sa.Column('closed_at', UtcDateTime(), nullable=False),
        sa.Column('pruned_at', UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint('ticket', name=op.f('pk_closed')),
    )
    op.create_index('ix_closed_kept', 'closed', ['closed_at'], sqlite_where=_kept, postgresql_where=_kept)
    op.create_index('ix_closed_pruned', 'closed', ['pruned_at'], sqlite_where=_pruned, postgresql_where=_pruned)
    op.create_index('ix_outbox_sent_subject', 'outbox', ['subject'], sqlite_where=_sent, postgresql_where=_sent)
    op.add_column('inbox', sa.Column('ticket', sa.String(length=20), nullable=True))
    op.create_index('ix_inbox_ticket', 'inbox', ['ticket'], sqlite_where=_of_complaint, postgresql_where=_of_complaint)


def downgrade() -> None:
    op.drop_index('ix_inbox_ticket', table_name='inbox')
    op.drop_column('inbox', 'ticket')
    op.drop_index('ix_outbox_sent_subject', table_name='outbox')
    op.drop_index('ix_closed_pruned', table_name='closed')
    op.drop_index('ix_closed_kept', table_name='closed')
    op.drop_table('closed')
