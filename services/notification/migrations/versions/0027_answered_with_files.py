"""Files with the answers to questions."""

import sqlalchemy as sa
from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('questions', sa.Column('files', sa.Text(), server_default='[]', nullable=False))
    op.create_table(
        'attached',
        sa.Column('id', sa.String(length=22), nullable=False),
        sa.Column('ticket', sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_attached')),
    )


def downgrade() -> None:
    _must_have_none()
    op.drop_table('attached')
    op.drop_column('questions', 'files')


def _must_have_none() -> None:
    """Raise RuntimeError where an answer has files, which the version before cannot hold."""
    if op.get_bind().execute(sa.text('SELECT 1 FROM attached LIMIT 1')).first():
        raise RuntimeError(
            'This database holds answers to questions that came with files, which the version before does not know. '
            'Restore a copy from before the upgrade instead.'
        )
