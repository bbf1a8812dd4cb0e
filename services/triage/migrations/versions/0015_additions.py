"""What reporters added to their reports, with words."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('cases', sa.Column('additions', sa.Text(), server_default='[]', nullable=False))


def downgrade() -> None:
    _must_lose_no_words()
    op.drop_column('cases', 'additions')


def _must_lose_no_words() -> None:
    """Raise RuntimeError where a reporter added words, which the version before cannot keep."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM cases WHERE additions LIKE '%\"text\": \"%' LIMIT 1")).first():
        raise RuntimeError(
            'This database has words that reporters added to their reports, which the version before cannot keep. '
            'Restore a copy from before the upgrade instead.'
        )
