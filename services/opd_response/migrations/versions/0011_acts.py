"""Several forwardings of a complaint, declinations, withdrawals, and notes of the helper teams."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('cases', sa.Column('ended', sa.String(length=20), nullable=True))
    op.add_column('cases', sa.Column('ended_at', UtcDateTime(), nullable=True))
    op.add_column('cases', sa.Column('ended_why', sa.Text(), nullable=True))
    op.add_column('cases', sa.Column('forwarding', sa.Integer(), server_default='1', nullable=False))
    op.add_column('cases', sa.Column('overtaken', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('cases', sa.Column('declined_why', sa.Text(), nullable=True))
    op.add_column('cases', sa.Column('better_opd', sa.String(length=64), nullable=True))
    op.add_column('cases', sa.Column('recalled_why', sa.Text(), nullable=True))
    with op.batch_alter_table('cases') as table:
        table.drop_constraint('pk_cases', type_='primary')
        table.create_primary_key('pk_cases', ['ticket', 'forwarding'])
    op.create_table(
        'notes',
        sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
        sa.Column('ticket', sa.String(length=20), nullable=False),
        sa.Column('at', UtcDateTime(), nullable=False),
        sa.Column('by', sa.String(length=64), nullable=False),
        sa.Column('opd', sa.String(length=64), nullable=True),
        sa.Column('text', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_notes')),
    )
    op.create_index(op.f('ix_notes_ticket'), 'notes', ['ticket'], unique=False)


def downgrade() -> None:
    _must_have_no_acts()
    op.drop_index(op.f('ix_notes_ticket'), table_name='notes')
    op.drop_table('notes')
    with op.batch_alter_table('cases') as table:
        table.drop_constraint('pk_cases', type_='primary')
        table.create_primary_key('pk_cases', ['ticket'])
    op.drop_column('cases', 'recalled_why')
    op.drop_column('cases', 'better_opd')
    op.drop_column('cases', 'declined_why')
    op.drop_column('cases', 'overtaken')
    op.drop_column('cases', 'forwarding')
    op.drop_column('cases', 'ended_why')
    op.drop_column('cases', 'ended_at')
    op.drop_column('cases', 'ended')


def _must_have_no_acts() -> None:
    """Raise RuntimeError where there are cases with acts beside the path, which the version before cannot hold."""
    if op.get_bind().execute(sa.text(
                "SELECT 1 FROM cases WHERE ended IS NOT NULL OR forwarding > 1 OR state IN ('declined', 'recalled') "
                'UNION ALL SELECT 1 FROM notes LIMIT 1'
    )).first():
        raise RuntimeError(
            'This database holds cases with acts beside the path, which the version before does not know. Restore a '
            'copy from before the upgrade instead.'
        )
