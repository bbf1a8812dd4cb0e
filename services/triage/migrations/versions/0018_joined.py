"""Reports that were joined with others, and responses that were gathered from several OPDs."""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('cases', sa.Column('gathered', sa.Text(), server_default='[]', nullable=False))
    op.add_column('cases', sa.Column('joined_to', sa.String(length=20), nullable=True))
    joined = sa.text('joined_to IS NOT NULL')
    op.create_index(
        'ix_cases_joined', 'cases', ['joined_to'], unique=False, sqlite_where=joined, postgresql_where=joined
    )
    undecided = sa.text("state IN ('awaiting_classification', 'awaiting_approval', 'awaiting_response')")
    op.create_index(
        'ix_cases_undecided',
        'cases',
        ['category', 'came_at'],
        unique=False,
        sqlite_where=undecided,
        postgresql_where=undecided,
    )


def downgrade() -> None:
    _must_have_none()
    op.drop_index('ix_cases_undecided', table_name='cases')
    op.drop_index('ix_cases_joined', table_name='cases')
    op.drop_column('cases', 'joined_to')
    op.drop_column('cases', 'gathered')


def _must_have_none() -> None:
    """Raise RuntimeError where reports were joined or responses gathered, which the version before cannot hold."""
    found = "SELECT 1 FROM cases WHERE joined_to IS NOT NULL OR state = 'joined' OR gathered <> '[]' LIMIT 1"
    if op.get_bind().execute(sa.text(found)).first():
        raise RuntimeError(
            'This database holds reports that were joined, or responses of several OPDs to one complaint, which the '
            'version before does not know. Restore a copy from before the upgrade instead.'
        )
