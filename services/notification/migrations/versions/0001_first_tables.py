"""The first tables."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('answers',
    sa.Column('ticket', sa.String(length=20), nullable=False),
    sa.Column('path', sa.String(length=20), nullable=False),
    sa.Column('material', sa.Text(), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('service_due_at', UtcDateTime(), nullable=False),
    sa.Column('came_at', UtcDateTime(), nullable=False),
    sa.Column('due_at', UtcDateTime(), nullable=False),
    sa.Column('state', sa.String(length=30), nullable=False),
    sa.Column('since', UtcDateTime(), nullable=False),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('sent_at', UtcDateTime(), nullable=True),
    sa.Column('lapses_at', UtcDateTime(), nullable=True),
    sa.Column('closed_at', UtcDateTime(), nullable=True),
    sa.Column('how', sa.String(length=20), nullable=True),
    sa.Column('confirmed_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('ticket', name=op.f('pk_answers'))
    )
    with op.batch_alter_table('answers', schema=None) as batch_op:
        batch_op.create_index('ix_answers_unread', ['lapses_at'], unique=False, sqlite_where=sa.text("state = 'answered'"), postgresql_where=sa.text("state = 'answered'"))
        batch_op.create_index('ix_answers_waiting', ['due_at', 'ticket'], unique=False, sqlite_where=sa.text("state = 'awaiting_answer'"), postgresql_where=sa.text("state = 'awaiting_answer'"))

    op.create_table('contacts',
    sa.Column('reporter_id', sa.String(length=36), nullable=False),
    sa.Column('sealed_contact', sa.Text(), nullable=False),
    sa.Column('changed_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('reporter_id', name=op.f('pk_contacts'))
    )
    op.create_table('entries',
    sa.Column('event_id', sa.String(length=200), nullable=False),
    sa.Column('ticket', sa.String(length=20), nullable=False),
    sa.Column('type', sa.String(length=100), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('by', sa.String(length=64), nullable=True),
    sa.Column('opd', sa.String(length=64), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_entries'))
    )
    with op.batch_alter_table('entries', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_entries_ticket'), ['ticket'], unique=False)

    op.create_table('inbox',
    sa.Column('consumer', sa.String(length=100), nullable=False),
    sa.Column('event_id', sa.String(length=200), nullable=False),
    sa.Column('handled_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('consumer', 'event_id', name=op.f('pk_inbox'))
    )
    op.create_table('journeys',
    sa.Column('ticket', sa.String(length=20), nullable=False),
    sa.Column('reporter_id', sa.String(length=36), nullable=True),
    sa.Column('submitted_at', UtcDateTime(), nullable=True),
    sa.Column('service_due_at', UtcDateTime(), nullable=True),
    sa.Column('path', sa.String(length=20), nullable=True),
    sa.Column('opd', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('ticket', name=op.f('pk_journeys'))
    )
    op.create_table('messages',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('ticket', sa.String(length=20), nullable=False),
    sa.Column('kind', sa.String(length=30), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('next_try_at', UtcDateTime(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('sent_at', UtcDateTime(), nullable=True),
    sa.Column('given_up_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_messages'))
    )
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.create_index('ix_messages_unsent', ['next_try_at', 'id'], unique=False, sqlite_where=sa.text('sent_at IS NULL AND given_up_at IS NULL'), postgresql_where=sa.text('sent_at IS NULL AND given_up_at IS NULL'))

    op.create_table('outbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('event_id', sa.String(length=36), nullable=False),
    sa.Column('type', sa.String(length=100), nullable=False),
    sa.Column('exchange', sa.String(length=100), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('mandatory', sa.Boolean(), nullable=False),
    sa.Column('correlation_id', sa.String(length=64), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('sent_at', UtcDateTime(), nullable=True),
    sa.Column('held_until', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
    sa.UniqueConstraint('event_id', name=op.f('uq_outbox_event_id'))
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_unsent', ['id'], unique=False, sqlite_where=sa.text('sent_at IS NULL'), postgresql_where=sa.text('sent_at IS NULL'))
        batch_op.create_index('ix_outbox_unsent_subject', ['subject', 'id'], unique=False, sqlite_where=sa.text('sent_at IS NULL'), postgresql_where=sa.text('sent_at IS NULL'))



def downgrade() -> None:
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index('ix_outbox_unsent_subject', sqlite_where=sa.text('sent_at IS NULL'), postgresql_where=sa.text('sent_at IS NULL'))
        batch_op.drop_index('ix_outbox_unsent', sqlite_where=sa.text('sent_at IS NULL'), postgresql_where=sa.text('sent_at IS NULL'))

    op.drop_table('outbox')
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.drop_index('ix_messages_unsent', sqlite_where=sa.text('sent_at IS NULL AND given_up_at IS NULL'), postgresql_where=sa.text('sent_at IS NULL AND given_up_at IS NULL'))

    op.drop_table('messages')
    op.drop_table('journeys')
    op.drop_table('inbox')
    with op.batch_alter_table('entries', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_entries_ticket'))

    op.drop_table('entries')
    op.drop_table('contacts')
    with op.batch_alter_table('answers', schema=None) as batch_op:
        batch_op.drop_index('ix_answers_waiting', sqlite_where=sa.text("state = 'awaiting_answer'"), postgresql_where=sa.text("state = 'awaiting_answer'"))
        batch_op.drop_index('ix_answers_unread', sqlite_where=sa.text("state = 'answered'"), postgresql_where=sa.text("state = 'answered'"))

    op.drop_table('answers')
