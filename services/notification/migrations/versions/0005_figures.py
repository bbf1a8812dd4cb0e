"""Columns from which public figures are counted: when each journey was answered, and after how many office minutes."""

import json

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime
from nkk.sop.calendar import read_calendar
from nkk.sop.clock import OFFICE_HOURS

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

BATCH = 1_000

_is_answered = sa.text('answered_at IS NOT NULL')

journeys = sa.table('journeys', sa.column('ticket', sa.String), sa.column('answered_at', UtcDateTime),
                    sa.column('answer_minutes', sa.Integer))
entries = sa.table('entries', sa.column('ticket', sa.String), sa.column('type', sa.String), sa.column('at', UtcDateTime),
                   sa.column('calendar', sa.Integer))
calendars = sa.table('calendars', sa.column('version', sa.Integer), sa.column('content', sa.Text))


def upgrade() -> None:
    op.add_column('journeys', sa.Column('answered_at', UtcDateTime(), nullable=True))
    op.add_column('journeys', sa.Column('answer_minutes', sa.Integer(), nullable=True))
    op.execute("UPDATE journeys SET answered_at = (SELECT min(at) FROM entries WHERE entries.ticket = journeys.ticket "
               "AND entries.type = 'answer.sent.v1')")
    _count_minutes(op.get_bind())
    op.create_index('ix_journeys_submitted', 'journeys', ['submitted_at'], unique=False)
    op.create_index('ix_journeys_answered', 'journeys', ['answered_at', 'answer_minutes', 'service_due_at'], unique=False, sqlite_where=_is_answered, postgresql_where=_is_answered)


def downgrade() -> None:
    op.drop_index('ix_journeys_answered', table_name='journeys')
    op.drop_index('ix_journeys_submitted', table_name='journeys')
    op.drop_column('journeys', 'answer_minutes')
    op.drop_column('journeys', 'answered_at')


def _count_minutes(connection: sa.Connection) -> None:
    """Fill in `answer_minutes` by the submission's calendar, except where the submission or calendar is not known."""
    known = {0: OFFICE_HOURS} | {row.version: read_calendar(json.loads(row.content), row.version)
                                 for row in connection.execute(sa.select(calendars))}
    submitted = sa.and_(entries.c.ticket == journeys.c.ticket, entries.c.type == 'complaint.submitted.v1')
    query = sa.select(journeys.c.ticket, journeys.c.answered_at, entries.c.at, entries.c.calendar).join(
        entries, submitted).where(journeys.c.answered_at.is_not(None)).order_by(journeys.c.ticket).limit(BATCH)
    count = sa.update(journeys).where(journeys.c.ticket == sa.bindparam('which')).values(
        answer_minutes=sa.bindparam('minutes'))
    after = ''
    while rows := connection.execute(query.where(journeys.c.ticket > after)).all():
        counted = [{'which': row.ticket, 'minutes': known[row.calendar].minutes_between(row.at, row.answered_at)}
                   for row in rows if row.calendar in known]
        if counted:
            connection.execute(count, counted)
        after = rows[-1].ticket
