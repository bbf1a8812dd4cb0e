"""Letters with a password code: about no complaint, sealed until they are sent, and valid for a limited time."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

_unsent = sa.text('sent_at IS NULL AND given_up_at IS NULL')


def upgrade() -> None:
    _ticket(nullable=True)
    op.add_column('messages', sa.Column('reporter_id', sa.String(length=36), nullable=True))
    op.add_column('messages', sa.Column('sealed_letter', sa.Text(), nullable=True))
    op.add_column('messages', sa.Column('expires_at', UtcDateTime(), nullable=True))
    op.create_index('ix_messages_reporter', 'messages', ['reporter_id', 'expires_at'], unique=False)


def downgrade() -> None:
    op.execute("DELETE FROM messages WHERE ticket IS NULL")
    op.drop_index('ix_messages_reporter', table_name='messages')
    for column in ('expires_at', 'sealed_letter', 'reporter_id'):
        op.drop_column('messages', column)
    _ticket(nullable=False)


def _ticket(nullable: bool) -> None:
    # SQLite copies the table for this, and would copy the index without its condition.
    op.drop_index('ix_messages_unsent', table_name='messages')
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.alter_column('ticket', existing_type=sa.String(length=20), nullable=nullable)
    op.create_index('ix_messages_unsent', 'messages', ['next_try_at', 'id'], unique=False, sqlite_where=_unsent, postgresql_where=_unsent)
