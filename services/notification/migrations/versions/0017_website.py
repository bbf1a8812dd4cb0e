"""The website that sent a complaint in, which may follow its state; None for all others."""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('journeys', sa.Column('website', sa.String(length=36), nullable=True))


def downgrade() -> None:
    op.drop_column('journeys', 'website')
