"""Requests of OPD teams for more time, and the decisions on them."""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


_OPEN = "state IN ('awaiting_classification', 'awaiting_approval')"


def upgrade() -> None:
    op.add_column('cases', sa.Column('asked_days', sa.Integer(), nullable=True))
    op.add_column('cases', sa.Column('asked_why', sa.Text(), nullable=True))
    op.add_column('cases', sa.Column('granted_days', sa.Integer(), nullable=True))
    # Instances of the version before, which ask for the open ones alone, use the wider index as well.
    op.drop_index('ix_cases_open', table_name='cases')
    _create_index(f'{_OPEN} OR asked_days IS NOT NULL AND granted_days IS NULL')


def downgrade() -> None:
    _must_have_no_requests()
    op.drop_index('ix_cases_open', table_name='cases')
    _create_index(_OPEN)
    op.drop_column('cases', 'granted_days')
    op.drop_column('cases', 'asked_why')
    op.drop_column('cases', 'asked_days')


def _create_index(where: str) -> None:
    op.create_index(
        'ix_cases_open',
        'cases',
        ['due_at', 'came_at', 'ticket'],
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def _must_have_no_requests() -> None:
    """Raise RuntimeError where an OPD asked for more time, which the version before cannot hold."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM cases WHERE asked_days IS NOT NULL LIMIT 1")).first():
        raise RuntimeError(
            'This database holds requests for more time, which the version before does not know. Restore a copy from '
            'before the upgrade instead.'
        )
