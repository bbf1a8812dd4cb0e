"""Count wrong passwords by their source, and separate the user names of staff and reporters.

Instances of the previous version may run at the same time: they still use `failed_attempts` and `locked_until`, which
this version does not read, and find only one of two accounts with the same user name. The downgrade fails once a
reporter has taken a staff member's user name.
"""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

KINDS = {'staff': sa.text("role != 'reporter'"), 'reporter': sa.text("role = 'reporter'")}


def upgrade() -> None:
    with op.batch_alter_table('accounts', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_accounts_login_index'), type_='unique')
        batch_op.alter_column('failed_attempts', existing_type=sa.Integer(), nullable=False, server_default='0')
    op.create_index(op.f('ix_accounts_login_index'), 'accounts', ['login_index'], unique=False)
    for kind, where in KINDS.items():
        op.create_index(f'uq_accounts_{kind}_login_index', 'accounts', ['login_index'], unique=True, sqlite_where=where,
                        postgresql_where=where)
    op.create_table(
        'attempts',
        sa.Column('key', sa.String(length=64), nullable=False),
        sa.Column('login_index', sa.String(length=64), nullable=False),
        sa.Column('kind', sa.String(length=20), nullable=False),
        sa.Column('what', sa.String(length=20), nullable=False),
        sa.Column('failed', sa.Integer(), nullable=False),
        sa.Column('waits_until', UtcDateTime(), nullable=True),
        sa.Column('open_until', UtcDateTime(), nullable=True),
        sa.Column('last_at', UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('key', name=op.f('pk_attempts')))
    for column in ('login_index', 'last_at'):
        op.create_index(op.f(f'ix_attempts_{column}'), 'attempts', [column], unique=False)


def downgrade() -> None:
    op.drop_table('attempts')
    for kind in KINDS:
        op.drop_index(f'uq_accounts_{kind}_login_index', table_name='accounts')
    op.drop_index(op.f('ix_accounts_login_index'), table_name='accounts')
    with op.batch_alter_table('accounts', schema=None) as batch_op:
        batch_op.alter_column('failed_attempts', existing_type=sa.Integer(), nullable=False, server_default=None)
        batch_op.create_unique_constraint(batch_op.f('uq_accounts_login_index'), ['login_index'])
