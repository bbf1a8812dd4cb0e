"""Tables for password resets: requests, and the newest code of each account."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('reset_requests',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('login_index', sa.String(length=64), nullable=False),
    sa.Column('asked_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reset_requests'))
    )
    op.create_index(op.f('ix_reset_requests_asked_at'), 'reset_requests', ['asked_at'], unique=False)
    op.create_table('password_resets',
    sa.Column('account_id', sa.String(length=36), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=True),
    sa.Column('expires_at', UtcDateTime(), nullable=True),
    sa.Column('told', sa.Integer(), nullable=False),
    sa.Column('told_since', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_password_resets_account_id')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_password_resets')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_password_resets_token_hash'))
    )


def downgrade() -> None:
    op.drop_table('password_resets')
    op.drop_index(op.f('ix_reset_requests_asked_at'), table_name='reset_requests')
    op.drop_table('reset_requests')
