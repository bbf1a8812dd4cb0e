"""Recusals are found by the account, at each reading of a worklist."""

from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_recusals_whom', 'recusals', ['whom'])


def downgrade() -> None:
    op.drop_index('ix_recusals_whom', 'recusals')
