"""Keep since when a letter has been tried and why it was not sent, with an index of those given up."""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

_given_up = sa.text('given_up_at IS NOT NULL')


def upgrade() -> None:
    op.add_column('messages', sa.Column('tried_since', UtcDateTime(), nullable=True))
    op.add_column('messages', sa.Column('why', sa.String(length=40), nullable=True))
    op.create_index('ix_messages_given_up', 'messages', ['given_up_at', 'id'], unique=False, sqlite_where=_given_up,
                    postgresql_where=_given_up)


def downgrade() -> None:
    op.drop_index('ix_messages_given_up', table_name='messages')
    op.drop_column('messages', 'why')
    op.drop_column('messages', 'tried_since')
