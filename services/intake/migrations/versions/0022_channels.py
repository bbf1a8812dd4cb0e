"""How a report came, the references of letters and slips, and that each of them is entered once."""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('complaints', sa.Column('channel', sa.String(length=20), server_default='web', nullable=False))
    op.add_column('entries', sa.Column('paper', sa.String(length=64), nullable=True))
    op.create_table(
        'papers',
        sa.Column('key', sa.String(length=64), nullable=False),
        sa.Column('ticket', sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint('key', name=op.f('pk_papers')),
    )


def downgrade() -> None:
    _must_have_none_of_operators()
    op.drop_table('papers')
    op.drop_column('entries', 'paper')
    op.drop_column('complaints', 'channel')


def _must_have_none_of_operators() -> None:
    """Raise RuntimeError where operators entered reports, whose persons may lack an address and so an account."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM complaints WHERE channel <> 'web' LIMIT 1")).first():
        raise RuntimeError(
            'This database holds reports that operators entered, which the version before does not know. Restore a '
            'copy from before the upgrade instead.'
        )
