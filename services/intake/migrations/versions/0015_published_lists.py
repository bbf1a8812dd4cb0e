"""Keep the last published roster. The table begins empty, so that intake publishes its roster at the next start."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'published_lists',
        sa.Column('name', sa.String(length=20), nullable=False),
        sa.Column('version', sa.BigInteger(), nullable=False),
        sa.Column('opds', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('name', name=op.f('pk_published_lists')),
    )


def downgrade() -> None:
    op.drop_table('published_lists')
