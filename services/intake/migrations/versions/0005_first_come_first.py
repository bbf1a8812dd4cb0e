"""Order worklist cases with the same due time by arrival."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

_waiting = sa.text("done_at IS NULL")


def upgrade() -> None:
    _index(['due_at', 'came_at', 'ticket'])


def downgrade() -> None:
    _index(['due_at', 'ticket'])


def _index(columns: list[str]) -> None:
    op.drop_index('ix_complaints_waiting', table_name='complaints')
    op.create_index('ix_complaints_waiting', 'complaints', columns, unique=False, sqlite_where=_waiting, postgresql_where=_waiting)
