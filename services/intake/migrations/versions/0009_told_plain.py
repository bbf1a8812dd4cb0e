"""Index for finding published events that hold the reporter's identity unencrypted."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

_plain = sa.text("type = 'complaint.submitted.v1'")


def upgrade() -> None:
    op.create_index('ix_outbox_plain', 'outbox', ['id'], unique=False, sqlite_where=_plain, postgresql_where=_plain)


def downgrade() -> None:
    op.drop_index('ix_outbox_plain', table_name='outbox')
