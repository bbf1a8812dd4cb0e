"""Questions that lapsed unanswered, and cases that a desk closed because of one."""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('cases', sa.Column('lapsed', sa.String(length=200), nullable=True))
    op.add_column('cases', sa.Column('goes_on_from', sa.Integer(), server_default='0', nullable=False))


def downgrade() -> None:
    _must_have_closed_none()
    op.drop_column('cases', 'goes_on_from')
    op.drop_column('cases', 'lapsed')


def _must_have_closed_none() -> None:
    """Raise RuntimeError where a desk closed a case as not completed, which the version before does not know."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM cases WHERE ended = 'abandoned' LIMIT 1")).first():
        raise RuntimeError(
            'This database holds reports that were closed because a question was not answered, which the version before '
            'does not know. Restore a copy from before the upgrade instead.'
        )
