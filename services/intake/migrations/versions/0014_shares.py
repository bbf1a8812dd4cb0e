"""Give the accounts that have had an e-mail address longest a separate count of password codes each."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'shares',
        sa.Column('address_index', sa.String(length=64), nullable=False),
        sa.Column('account_id', sa.String(length=36), nullable=False),
        sa.Column('had_since', UtcDateTime(), nullable=False),
        sa.Column('told', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('address_index', 'account_id', name=op.f('pk_shares')),
    )


def downgrade() -> None:
    op.drop_table('shares')
