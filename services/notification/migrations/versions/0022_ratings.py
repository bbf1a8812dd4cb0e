"""Ratings that can be counted by month, also that of an answer that was objected to."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

_rated = sa.text('rated_at IS NOT NULL')
_rated_first = sa.text('first_rated_at IS NOT NULL')


def upgrade() -> None:
    op.add_column('answers', sa.Column('first_rating', sa.Integer(), nullable=True))
    op.add_column('answers', sa.Column('first_rated_at', UtcDateTime(), nullable=True))
    op.create_index(
        'ix_answers_rated',
        'answers',
        ['rated_at', 'rating'],
        unique=False,
        sqlite_where=_rated,
        postgresql_where=_rated,
    )
    op.create_index(
        'ix_answers_rated_first',
        'answers',
        ['first_rated_at', 'first_rating'],
        unique=False,
        sqlite_where=_rated_first,
        postgresql_where=_rated_first,
    )


def downgrade() -> None:
    if op.get_bind().execute(sa.text('SELECT 1 FROM answers WHERE first_rated_at IS NOT NULL LIMIT 1')).first():
        raise RuntimeError(
            'This database holds ratings of answers that were objected to, which the version before does not count. '
            'Restore a copy from before the upgrade instead.'
        )
    op.drop_index('ix_answers_rated_first', table_name='answers')
    op.drop_index('ix_answers_rated', table_name='answers')
    op.drop_column('answers', 'first_rated_at')
    op.drop_column('answers', 'first_rating')
