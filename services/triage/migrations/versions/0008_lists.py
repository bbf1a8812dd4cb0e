"""Table of the roster that intake publishes. While it is empty, a complaint may be forwarded to any agency."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'lists',
        sa.Column('name', sa.String(length=20), nullable=False),
        sa.Column('version', sa.BigInteger(), nullable=False),
        sa.Column('opds', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('name', name=op.f('pk_lists')),
    )


def downgrade() -> None:
    op.drop_table('lists')
