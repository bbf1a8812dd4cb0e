"""Questions that lapsed unanswered, and reports that a desk closed because of one."""

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('complaints', sa.Column('lapsed', sa.String(length=200), nullable=True))
    op.add_column('complaints', sa.Column('ended_forwarding', sa.Integer(), server_default='0', nullable=False))
    op.add_column('complaints', sa.Column('recalled', sa.Integer(), server_default='0', nullable=False))


def downgrade() -> None:
    _must_have_closed_none()
    op.drop_column('complaints', 'recalled')
    op.drop_column('complaints', 'ended_forwarding')
    op.drop_column('complaints', 'lapsed')


def _must_have_closed_none() -> None:
    """Raise RuntimeError where a desk closed a report as not completed, which the version before does not know."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM complaints WHERE ended = 'abandoned' LIMIT 1")).first():
        raise RuntimeError(
            'This database holds reports that were closed because a question was not answered, which the version before '
            'does not know. Restore a copy from before the upgrade instead.'
        )
