"""Questions to reporters, for which clocks rest."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('cases', sa.Column('rests_since', UtcDateTime(), nullable=True))
    op.add_column('cases', sa.Column('rests_until', UtcDateTime(), nullable=True))
    op.add_column('cases', sa.Column('due_before', UtcDateTime(), nullable=True))
    op.add_column('cases', sa.Column('tell_before', UtcDateTime(), nullable=True))
    op.add_column('cases', sa.Column('question', sa.String(length=200), nullable=True))


def downgrade() -> None:
    _must_have_asked_nobody()
    op.drop_column('cases', 'question')
    op.drop_column('cases', 'tell_before')
    op.drop_column('cases', 'due_before')
    op.drop_column('cases', 'rests_until')
    op.drop_column('cases', 'rests_since')


def _must_have_asked_nobody() -> None:
    """Raise RuntimeError where a reporter was asked, which the version before does not know."""
    if op.get_bind().execute(sa.text('SELECT 1 FROM cases WHERE rests_since IS NOT NULL LIMIT 1')).first():
        raise RuntimeError(
            'This database holds questions to reporters, for which clocks rested, and which the version before does '
            'not know. Restore a copy from before the upgrade instead.'
        )
