"""The files of the report and of the responses, and the uploads that are attached."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('cases', sa.Column('files', sa.Text(), nullable=False, server_default='[]'))
    op.add_column('cases', sa.Column('response_files', sa.Text(), nullable=False, server_default='[]'))
    op.create_table(
        'attached',
        sa.Column('id', sa.String(length=22), nullable=False),
        sa.Column('ticket', sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_attached')),
    )


def downgrade() -> None:
    op.drop_table('attached')
    op.drop_column('cases', 'response_files')
    op.drop_column('cases', 'files')
