"""Calendars, clocks, and letters about due times to teams and reporters."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime
from nkk.sop.clock import OFFICE_HOURS
from nkk.sop.steps import ANSWER, RECEIVE

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

_has_alarm = sa.text('tell_at IS NOT NULL')


_answers = sa.table('answers', sa.column('ticket'), sa.column('state'), sa.column('sent_at', UtcDateTime()),
                    sa.column('came_at', UtcDateTime()), sa.column('due_at', UtcDateTime()))
_entries = sa.table('entries', sa.column('ticket'), sa.column('type'), sa.column('at', UtcDateTime()))
_sent = _answers.c.state != 'awaiting_answer'


def _sent_answers():
    """Return (ticket, start of step 7) of each answer sent before this migration."""
    return op.get_bind().execute(sa.select(_answers.c.ticket, _answers.c.sent_at).where(_sent)).all()


def _came_to_be_answered():
    """Return (ticket, start of step 6) of each answer sent before this migration."""
    began = ('complaint.classified_as_information.v1', 'response.approved.v1')
    return op.get_bind().execute(
        sa.select(_answers.c.ticket, sa.func.min(_entries.c.at, type_=UtcDateTime()))
        .join(_entries, _entries.c.ticket == _answers.c.ticket)
        .where(_sent, _entries.c.type.in_(began)).group_by(_answers.c.ticket)).all()


def _restart(rows, step):
    """Start the clock of `step` at each row's time, by calendar version 0, the one in force before calendars."""
    for ticket, came_at in rows:
        op.execute(sa.update(_answers).where(_answers.c.ticket == ticket).values(
            came_at=came_at, due_at=OFFICE_HOURS.due(came_at, step.minutes)))


def upgrade() -> None:
    op.create_table('calendars',
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('changed_at', UtcDateTime(), nullable=False),
    sa.Column('changed_by', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('version', name=op.f('pk_calendars'))
    )
    op.create_table('teams',
    sa.Column('team', sa.String(length=80), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('superior_email', sa.String(length=254), nullable=True),
    sa.PrimaryKeyConstraint('team', name=op.f('pk_teams'))
    )
    op.add_column('answers', sa.Column('calendar', sa.Integer(), server_default='0', nullable=False))
    op.add_column('answers', sa.Column('done_at', UtcDateTime(), nullable=True))
    op.add_column('answers', sa.Column('tell_at', UtcDateTime(), nullable=True))
    op.add_column('answers', sa.Column('remind_at', UtcDateTime(), nullable=True))
    op.execute("UPDATE answers SET tell_at = due_at WHERE state = 'awaiting_answer'")
    op.execute("UPDATE answers SET done_at = closed_at WHERE state = 'closed'")
    _restart(_sent_answers(), RECEIVE)
    op.create_index('ix_answers_alarm', 'answers', ['tell_at'], unique=False, sqlite_where=_has_alarm, postgresql_where=_has_alarm)
    op.create_index('ix_answers_remind', 'answers', ['remind_at'], unique=False, sqlite_where=sa.text('remind_at IS NOT NULL'), postgresql_where=sa.text('remind_at IS NOT NULL'))
    op.add_column('entries', sa.Column('calendar', sa.Integer(), server_default='0', nullable=False))
    op.add_column('journeys', sa.Column('category', sa.String(length=64), nullable=True))
    op.add_column('journeys', sa.Column('sub_category', sa.String(length=64), nullable=True))
    op.add_column('journeys', sa.Column('late_at', UtcDateTime(), nullable=True))
    op.add_column('journeys', sa.Column('closed_at', UtcDateTime(), nullable=True))
    op.execute("UPDATE journeys SET closed_at = (SELECT min(at) FROM entries WHERE entries.ticket = journeys.ticket "
               "AND entries.type = 'complaint.closed.v1')")
    op.execute("UPDATE journeys SET late_at = service_due_at WHERE NOT EXISTS (SELECT 1 FROM entries "
               "WHERE entries.ticket = journeys.ticket AND entries.type = 'answer.sent.v1')")
    op.create_index('ix_journeys_late', 'journeys', ['late_at'], unique=False, sqlite_where=sa.text('late_at IS NOT NULL'), postgresql_where=sa.text('late_at IS NOT NULL'))
    op.create_index('ix_journeys_open', 'journeys', ['submitted_at', 'ticket'], unique=False, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
    op.create_index('ix_journeys_closed', 'journeys', ['closed_at', 'ticket'], unique=False)
    op.add_column('messages', sa.Column('team', sa.String(length=80), nullable=True))
    op.add_column('messages', sa.Column('step', sa.Integer(), nullable=True))
    op.add_column('messages', sa.Column('round', sa.Integer(), nullable=True))
    op.add_column('messages', sa.Column('due_at', UtcDateTime(), nullable=True))


def downgrade() -> None:
    _restart(_came_to_be_answered(), ANSWER)
    for column in ('due_at', 'round', 'step', 'team'):
        op.drop_column('messages', column)
    for index in ('ix_journeys_closed', 'ix_journeys_open', 'ix_journeys_late'):
        op.drop_index(index, table_name='journeys')
    for column in ('closed_at', 'late_at', 'sub_category', 'category'):
        op.drop_column('journeys', column)
    op.drop_column('entries', 'calendar')
    op.drop_index('ix_answers_remind', table_name='answers')
    op.drop_column('answers', 'remind_at')
    op.drop_index('ix_answers_alarm', table_name='answers')
    op.drop_column('answers', 'tell_at')
    op.drop_column('answers', 'done_at')
    op.drop_column('answers', 'calendar')
    op.drop_table('teams')
    op.drop_table('calendars')
