"""The files of the response that is answered from, and those of them that were sent to the reporter."""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('answers', sa.Column('offered', sa.Text(), nullable=False, server_default='[]'))
    op.add_column('answers', sa.Column('files', sa.Text(), nullable=False, server_default='[]'))


def downgrade() -> None:
    op.drop_column('answers', 'files')
    op.drop_column('answers', 'offered')
