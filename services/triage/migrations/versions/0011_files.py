"""The files of the report and of the responses."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('cases', sa.Column('files', sa.Text(), nullable=False, server_default='[]'))
    op.add_column('cases', sa.Column('response_files', sa.Text(), nullable=False, server_default='[]'))


def downgrade() -> None:
    op.drop_column('cases', 'response_files')
    op.drop_column('cases', 'files')
