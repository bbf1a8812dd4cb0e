"""Order worklist cases with the same due time by arrival."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

_waiting = sa.text("state = 'awaiting_answer'")


def upgrade() -> None:
    _index(['due_at', 'came_at', 'ticket'])


def downgrade() -> None:
    _index(['due_at', 'ticket'])


def _index(columns: list[str]) -> None:
    op.drop_index('ix_answers_waiting', table_name='answers')
    op.create_index('ix_answers_waiting', 'answers', columns, unique=False, sqlite_where=_waiting, postgresql_where=_waiting)
