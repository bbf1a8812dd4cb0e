"""The working days of requests for more time, and of the decisions on them."""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('entries', sa.Column('days', sa.Integer(), server_default='0', nullable=False))


def downgrade() -> None:
    _must_have_no_requests()
    op.drop_column('entries', 'days')


def _must_have_no_requests() -> None:
    """Raise RuntimeError where an OPD asked for more time, which the version before cannot hold."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM entries WHERE type IN ('time.requested.v1', 'time.granted.v1') LIMIT 1")).first():
        raise RuntimeError(
            'This database holds requests for more time, which the version before does not know. Restore a copy from '
            'before the upgrade instead.'
        )
