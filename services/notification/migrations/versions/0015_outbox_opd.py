"""The OPD that an event concerns, by which its tools receive it; no event of this stage names one yet."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('outbox', sa.Column('opd', sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column('outbox', 'opd')
