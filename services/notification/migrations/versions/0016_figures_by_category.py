"""The public figures by category are counted from an index too."""

from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index('ix_journeys_submitted', table_name='journeys')
    op.create_index('ix_journeys_submitted', 'journeys', ['submitted_at', 'category'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_journeys_submitted', table_name='journeys')
    op.create_index('ix_journeys_submitted', 'journeys', ['submitted_at'], unique=False)
