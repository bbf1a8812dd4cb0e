"""Responses that were kept beside the one that is answered from, and complaints that share another's result."""

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('answers', sa.Column('joined_to', sa.String(length=20), nullable=True))
    op.create_table(
        'gathered',
        sa.Column('ticket', sa.String(length=20), nullable=False),
        sa.Column('forwarding', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('round', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('opd', sa.String(length=64), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('files', sa.Text(), server_default='[]', nullable=False),
        sa.Column('shared', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('ticket', 'forwarding', 'round', name=op.f('pk_gathered')),
    )


def downgrade() -> None:
    _must_have_none()
    op.drop_table('gathered')
    op.drop_column('answers', 'joined_to')


def _must_have_none() -> None:
    """Raise RuntimeError where reports were joined or responses gathered, which the version before cannot hold."""
    found = (
        "SELECT 1 FROM entries WHERE type IN "
        "('complaint.joined.v1', 'complaint.parted.v1', 'response.gathered.v1', 'response.shared.v1') LIMIT 1"
    )
    if op.get_bind().execute(sa.text(found)).first():
        raise RuntimeError(
            'This database holds reports that were joined, or responses of several OPDs to one complaint, which the '
            'version before does not know. Restore a copy from before the upgrade instead.'
        )
