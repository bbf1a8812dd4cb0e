"""Columns for keyed hashes and sealed reporter ids in place of plain reporter ids.

The migration has no private key. The stage itself converts the plain ids in batches, from ten minutes after its start.
Until then, and while instances of the previous version run, both forms are read.
"""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

_plain = sa.text('reporter_id IS NOT NULL')


def upgrade() -> None:
    op.create_table(
        'keyed_contacts',
        sa.Column('reporter', sa.String(length=64), nullable=False),
        sa.Column('sealed_contact', sa.Text(), nullable=False),
        sa.Column('changed_at', UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('reporter', name=op.f('pk_keyed_contacts')))
    op.add_column('journeys', sa.Column('author', sa.String(length=64), nullable=True))
    op.add_column('journeys', sa.Column('sealed_reporter', sa.Text(), nullable=True))
    op.create_index('ix_journeys_plain', 'journeys', ['ticket'], unique=False, sqlite_where=_plain,
                    postgresql_where=_plain)
    op.add_column('messages', sa.Column('reporter', sa.String(length=64), nullable=True))
    op.create_index('ix_messages_keyed_reporter', 'messages', ['reporter', 'expires_at'], unique=False)


def downgrade() -> None:
    _must_have_nothing_hidden()
    op.drop_index('ix_messages_keyed_reporter', table_name='messages')
    op.drop_column('messages', 'reporter')
    op.drop_index('ix_journeys_plain', table_name='journeys')
    op.drop_column('journeys', 'sealed_reporter')
    op.drop_column('journeys', 'author')
    op.drop_table('keyed_contacts')


def _must_have_nothing_hidden() -> None:
    """Raise RuntimeError where sealed reporters exist, which the previous version cannot show or write to."""
    hidden = sa.text('SELECT 1 FROM journeys WHERE sealed_reporter IS NOT NULL UNION ALL '
                     'SELECT 1 FROM keyed_contacts LIMIT 1')
    if op.get_bind().execute(hidden).first():
        raise RuntimeError('This database holds reporters that the version before cannot read. Restore a copy from '
                           'before the upgrade instead.')
