"""Give the relay's walk over unsent events an index that queries for a subject's earlier events cannot use."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index('sent_at IS NULL AND id > 0')


def downgrade() -> None:
    _index('sent_at IS NULL')


def _index(condition: str) -> None:
    op.drop_index('ix_outbox_unsent', table_name='outbox')
    op.create_index('ix_outbox_unsent', 'outbox', ['id'], unique=False, sqlite_where=sa.text(condition),
                    postgresql_where=sa.text(condition))
