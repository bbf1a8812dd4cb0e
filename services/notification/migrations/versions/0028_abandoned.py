"""Reports that a desk closed because a question was not answered; the tables are as before."""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing."""


def downgrade() -> None:
    """Raise RuntimeError where a desk closed a report as not completed, which the version before does not know."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM entries WHERE type = 'complaint.abandoned.v1' LIMIT 1")).first():
        raise RuntimeError(
            'This database holds reports that were closed because a question was not answered, which the version before '
            'does not know. Restore a copy from before the upgrade instead.'
        )
