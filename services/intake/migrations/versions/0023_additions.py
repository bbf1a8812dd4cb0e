"""What reporters added to their reports, with words."""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('complaints', sa.Column('additions', sa.Text(), server_default='[]', nullable=False))


def downgrade() -> None:
    _must_lose_no_words()
    op.drop_column('complaints', 'additions')


def _must_lose_no_words() -> None:
    """Raise RuntimeError where a reporter added words, which the version before cannot keep."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM complaints WHERE additions LIKE '%\"text\": \"%' LIMIT 1")).first():
        raise RuntimeError(
            'This database has words that reporters added to their reports, which the version before cannot keep. '
            'Restore a copy from before the upgrade instead.'
        )
