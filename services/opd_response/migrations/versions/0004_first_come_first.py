"""Order worklist cases with the same due time by arrival."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

_open = sa.text("state = 'awaiting_response'")


def upgrade() -> None:
    _index(['opd', 'due_at', 'came_at', 'ticket'])


def downgrade() -> None:
    _index(['opd', 'due_at', 'ticket'])


def _index(columns: list[str]) -> None:
    op.drop_index('ix_cases_open', table_name='cases')
    op.create_index('ix_cases_open', 'cases', columns, unique=False, sqlite_where=_open, postgresql_where=_open)
