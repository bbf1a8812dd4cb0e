"""Column for the end of the lease that an instance holds on a letter while it sends it."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('messages', sa.Column('sending_until', UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column('messages', 'sending_until')
