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
    # Indexes follow their columns on both databases.
    op.execute("ALTER TABLE complaints RENAME COLUMN submitted_at TO came_at")
    op.execute("ALTER TABLE complaints RENAME COLUMN handed_over_at TO done_at")
    op.add_column('complaints', sa.Column('calendar', sa.Integer(), server_default='0', nullable=False))
    op.add_column('complaints', sa.Column('tell_at', UtcDateTime(), nullable=True))
    op.execute("UPDATE complaints SET tell_at = due_at WHERE done_at IS NULL")
    op.create_index('ix_complaints_alarm', 'complaints', ['tell_at'], unique=False, sqlite_where=_has_alarm, postgresql_where=_has_alarm)


def downgrade() -> None:
    op.drop_index('ix_complaints_alarm', table_name='complaints')
    op.drop_column('complaints', 'tell_at')
    op.drop_column('complaints', 'calendar')
    op.execute("ALTER TABLE complaints RENAME COLUMN done_at TO handed_over_at")
    op.execute("ALTER TABLE complaints RENAME COLUMN came_at TO submitted_at")
    op.drop_table('calendars')
