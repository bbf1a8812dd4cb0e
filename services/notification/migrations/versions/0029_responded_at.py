"""When the response came that was shared with a joined report, as its reporter is told."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column('entries', sa.Column('responded_at', UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Drop the column: the version before does not tell it."""
    op.drop_column('entries', 'responded_at')
