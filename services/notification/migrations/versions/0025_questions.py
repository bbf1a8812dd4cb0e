"""Questions to reporters, for which clocks rest."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('answers', sa.Column('rests_since', UtcDateTime(), nullable=True))
    op.add_column('answers', sa.Column('rests_until', UtcDateTime(), nullable=True))
    op.add_column('answers', sa.Column('due_before', UtcDateTime(), nullable=True))
    op.add_column('answers', sa.Column('tell_before', UtcDateTime(), nullable=True))
    op.create_table(
        'questions',
        sa.Column('id', sa.String(length=200), nullable=False),
        sa.Column('ticket', sa.String(length=20), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('step', sa.Integer(), nullable=False),
        sa.Column('forwarding', sa.Integer(), nullable=False),
        sa.Column('round', sa.Integer(), nullable=False),
        sa.Column('at', UtcDateTime(), nullable=False),
        sa.Column('by', sa.String(length=64), nullable=False),
        sa.Column('opd', sa.String(length=64), nullable=True),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('state', sa.String(length=20), nullable=False),
        sa.Column('lapses_at', UtcDateTime(), nullable=False),
        sa.Column('answer', sa.Text(), nullable=True),
        sa.Column('answered_on', UtcDateTime(), nullable=True),
        sa.Column('ended_at', UtcDateTime(), nullable=True),
        sa.Column('remind_at', UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_questions')),
    )
    op.create_index('ix_questions_number', 'questions', ['ticket', 'number'], unique=True)
    is_asked = sa.text("state = 'open'")
    op.create_index(
        'ix_questions_open', 'questions', ['lapses_at'], sqlite_where=is_asked, postgresql_where=is_asked
    )


def downgrade() -> None:
    _must_have_asked_nobody()
    op.drop_table('questions')
    op.drop_column('answers', 'tell_before')
    op.drop_column('answers', 'due_before')
    op.drop_column('answers', 'rests_until')
    op.drop_column('answers', 'rests_since')


def _must_have_asked_nobody() -> None:
    """Raise RuntimeError where a reporter was asked, which the version before does not know."""
    if op.get_bind().execute(sa.text('SELECT 1 FROM questions LIMIT 1')).first():
        raise RuntimeError(
            'This database holds questions to reporters, for which clocks rested, and which the version before does '
            'not know. Restore a copy from before the upgrade instead.'
        )
