"""Count password codes by e-mail address, and keep since when each reporter has had theirs."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('reporters', sa.Column('address_since', UtcDateTime(), nullable=True))
    op.create_table(
        'postboxes',
        sa.Column('address_index', sa.String(length=64), primary_key=True),
        sa.Column('since', UtcDateTime(), nullable=False),
        sa.Column('told', sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table('postboxes')
    op.drop_column('reporters', 'address_since')
