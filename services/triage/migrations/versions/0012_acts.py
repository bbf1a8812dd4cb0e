"""Cases that come back to step 3 or are withdrawn, and notes of the main team."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('cases', sa.Column('ended', sa.String(length=20), nullable=True))
    op.add_column('cases', sa.Column('ended_at', UtcDateTime(), nullable=True))
    op.add_column('cases', sa.Column('ended_why', sa.Text(), nullable=True))
    op.add_column('cases', sa.Column('forwarding', sa.Integer(), server_default='1', nullable=False))
    op.add_column('cases', sa.Column('round_before', sa.Integer(), server_default='0', nullable=False))
    op.add_column('cases', sa.Column('cycle', sa.Integer(), server_default='1', nullable=False))
    op.add_column('cases', sa.Column('kept', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('cases', sa.Column('back', sa.String(length=100), nullable=True))
    op.add_column('cases', sa.Column('back_why', sa.Text(), nullable=True))
    op.add_column('cases', sa.Column('better_opd', sa.String(length=64), nullable=True))
    op.add_column('cases', sa.Column('objected_to', sa.Text(), nullable=True))
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
    op.drop_column('cases', 'objected_to')
    op.drop_column('cases', 'better_opd')
    op.drop_column('cases', 'back_why')
    op.drop_column('cases', 'back')
    op.drop_column('cases', 'kept')
    op.drop_column('cases', 'cycle')
    op.drop_column('cases', 'round_before')
    op.drop_column('cases', 'forwarding')
    op.drop_column('cases', 'ended_why')
    op.drop_column('cases', 'ended_at')
    op.drop_column('cases', 'ended')


def _must_have_no_acts() -> None:
    """Raise RuntimeError where there are cases with acts beside the path, which the version before cannot hold."""
    if op.get_bind().execute(sa.text(
                'SELECT 1 FROM cases WHERE ended IS NOT NULL OR forwarding > 1 OR kept UNION ALL '
                'SELECT 1 FROM notes LIMIT 1'
    )).first():
        raise RuntimeError(
            'This database holds cases with acts beside the path, which the version before does not know. Restore a '
            'copy from before the upgrade instead.'
        )
