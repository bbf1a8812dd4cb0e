"""Table of calendars, and each clock's calendar, end and next alarm."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

_has_alarm = sa.text('tell_at IS NOT NULL')


def upgrade() -> None:
    op.create_table('calendars',
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('changed_at', UtcDateTime(), nullable=False),
    sa.Column('changed_by', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('version', name=op.f('pk_calendars'))
    )
    op.add_column('cases', sa.Column('calendar', sa.Integer(), server_default='0', nullable=False))
    op.add_column('cases', sa.Column('done_at', UtcDateTime(), nullable=True))
    op.add_column('cases', sa.Column('tell_at', UtcDateTime(), nullable=True))
    op.execute("UPDATE cases SET tell_at = due_at WHERE state IN ('awaiting_classification', 'awaiting_approval')")
    op.execute("UPDATE cases SET done_at = since WHERE state NOT IN ('awaiting_classification', 'awaiting_approval')")
    op.create_index('ix_cases_alarm', 'cases', ['tell_at'], unique=False, sqlite_where=_has_alarm, postgresql_where=_has_alarm)


def downgrade() -> None:
    op.drop_index('ix_cases_alarm', table_name='cases')
    op.drop_column('cases', 'tell_at')
    op.drop_column('cases', 'done_at')
    op.drop_column('cases', 'calendar')
    op.drop_table('calendars')
