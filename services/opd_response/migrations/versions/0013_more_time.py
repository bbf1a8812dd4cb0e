"""Requests of the helper teams for more time."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('cases', sa.Column('asked_for', sa.Integer(), nullable=True))
    op.add_column('cases', sa.Column('asked_days', sa.Integer(), server_default='0', nullable=False))
    op.add_column('cases', sa.Column('asked_why', sa.Text(), nullable=True))
    op.add_column('cases', sa.Column('granted_days', sa.Integer(), nullable=True))
    op.add_column('cases', sa.Column('granted_note', sa.Text(), nullable=True))
    op.add_column('cases', sa.Column('granted_at', UtcDateTime(), nullable=True))
    op.add_column('cases', sa.Column('due_first', UtcDateTime(), nullable=True))
    op.add_column('cases', sa.Column('due_later', UtcDateTime(), nullable=True))


def downgrade() -> None:
    _must_have_no_requests()
    op.drop_column('cases', 'due_later')
    op.drop_column('cases', 'due_first')
    op.drop_column('cases', 'granted_at')
    op.drop_column('cases', 'granted_note')
    op.drop_column('cases', 'granted_days')
    op.drop_column('cases', 'asked_why')
    op.drop_column('cases', 'asked_days')
    op.drop_column('cases', 'asked_for')


def _must_have_no_requests() -> None:
    """Raise RuntimeError where an OPD asked for more time, which the version before cannot hold."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM cases WHERE asked_for IS NOT NULL LIMIT 1")).first():
        raise RuntimeError(
            'This database holds requests for more time, which the version before does not know. Restore a copy from '
            'before the upgrade instead.'
        )
