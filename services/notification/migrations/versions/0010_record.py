"""Table of who viewed which case, and when."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'record',
        sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
        sa.Column('at', UtcDateTime(), nullable=False),
        sa.Column('actor', sa.String(length=64), nullable=False),
        sa.Column('role', sa.String(length=20), nullable=False),
        sa.Column('act', sa.String(length=40), nullable=False),
        sa.Column('ticket', sa.String(length=20), nullable=True),
        sa.Column('detail', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_record')),
        sqlite_autoincrement=True,
    )
    op.create_index('ix_record_ticket', 'record', ['ticket'])


def downgrade() -> None:
    op.drop_index('ix_record_ticket', table_name='record')
    op.drop_table('record')
