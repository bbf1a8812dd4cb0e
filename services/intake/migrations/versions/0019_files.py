"""The files of a report, the uploads that are attached, and when the complaint was closed.

Instances of the version before know nothing of files: a report that they accept has none.
"""

import sqlalchemy as sa
from alembic import op

from nkk.store.database import UtcDateTime

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('complaints', sa.Column('closed_at', UtcDateTime(), nullable=True))
    op.add_column('complaints', sa.Column('files', sa.Text(), nullable=False, server_default='[]'))
    op.create_table(
        'attached',
        sa.Column('id', sa.String(length=22), nullable=False),
        sa.Column('ticket', sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_attached')),
    )
    op.execute(
        'UPDATE complaints SET closed_at = (SELECT closed_at FROM closed WHERE closed.ticket = complaints.ticket)'
    )


def downgrade() -> None:
    op.drop_table('attached')
    op.drop_column('complaints', 'files')
    op.drop_column('complaints', 'closed_at')
