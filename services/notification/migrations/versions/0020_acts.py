"""Journeys that come back to step 3, end with a withdrawal or begin again after an objection; ratings."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

_ended = sa.text('ended IS NOT NULL')


def upgrade() -> None:
    op.add_column('answers', sa.Column('ended', sa.String(length=20), nullable=True))
    op.add_column('answers', sa.Column('ended_at', UtcDateTime(), nullable=True))
    op.add_column('answers', sa.Column('ended_why', sa.Text(), nullable=True))
    op.add_column('answers', sa.Column('forwarding', sa.Integer(), server_default='1', nullable=False))
    op.add_column('answers', sa.Column('cycle', sa.Integer(), server_default='1', nullable=False))
    op.add_column('answers', sa.Column('objection', sa.Text(), nullable=True))
    op.add_column('answers', sa.Column('rating', sa.Integer(), nullable=True))
    op.add_column('answers', sa.Column('rating_comment', sa.Text(), nullable=True))
    op.add_column('answers', sa.Column('rated_at', UtcDateTime(), nullable=True))
    op.add_column('answers', sa.Column('earlier', sa.Text(), server_default='[]', nullable=False))
    op.add_column('journeys', sa.Column('again_due_at', UtcDateTime(), nullable=True))
    op.add_column('journeys', sa.Column('ended', sa.String(length=20), nullable=True))
    op.add_column('journeys', sa.Column('kept', sa.Integer(), server_default='0', nullable=False))
    op.add_column('entries', sa.Column('forwarding', sa.Integer(), server_default='1', nullable=False))
    op.add_column('entries', sa.Column('cycle', sa.Integer(), server_default='1', nullable=False))
    op.add_column('messages', sa.Column('forwarding', sa.Integer(), nullable=True))
    op.create_index(
        'ix_journeys_ended',
        'journeys',
        ['closed_at', 'ended'],
        unique=False,
        sqlite_where=_ended,
        postgresql_where=_ended,
    )


def downgrade() -> None:
    _must_have_no_acts()
    op.drop_index('ix_journeys_ended', table_name='journeys')
    op.drop_column('messages', 'forwarding')
    op.drop_column('entries', 'cycle')
    op.drop_column('entries', 'forwarding')
    op.drop_column('journeys', 'kept')
    op.drop_column('journeys', 'ended')
    op.drop_column('journeys', 'again_due_at')
    op.drop_column('answers', 'earlier')
    op.drop_column('answers', 'rated_at')
    op.drop_column('answers', 'rating_comment')
    op.drop_column('answers', 'rating')
    op.drop_column('answers', 'objection')
    op.drop_column('answers', 'cycle')
    op.drop_column('answers', 'forwarding')
    op.drop_column('answers', 'ended_why')
    op.drop_column('answers', 'ended_at')
    op.drop_column('answers', 'ended')


def _must_have_no_acts() -> None:
    """Raise RuntimeError where there are cases with acts beside the path, which the version before cannot hold."""
    if op.get_bind().execute(sa.text(
                'SELECT 1 FROM answers WHERE ended IS NOT NULL OR forwarding > 1 OR cycle > 1 OR rating IS NOT NULL '
                "UNION ALL SELECT 1 FROM answers WHERE state IN ('returned', 'objected') UNION ALL "
                "SELECT 1 FROM entries WHERE type IN ('complaint.declined.v1', 'complaint.recalled.v1', "
                "'answer.returned.v1', 'complaint.reopened.v1', 'complaint.withdrawn.v1', 'complaint.kept.v1') LIMIT 1"
    )).first():
        raise RuntimeError(
            'This database holds cases with acts beside the path, which the version before does not know. Restore a '
            'copy from before the upgrade instead.'
        )
