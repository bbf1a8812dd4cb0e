"""Column for the calendar version of the whole service's due time. It is null where the events did not carry it."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('answers', sa.Column('service_calendar', sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column('answers', 'service_calendar')
