"""Find reporters by a keyed hash of their e-mail address. Intake fills it in for existing reporters."""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

_lacks_one = sa.text("address_index IS NULL")


def upgrade() -> None:
    op.add_column('reporters', sa.Column('address_index', sa.String(length=64), nullable=True))
    op.create_index('ix_reporters_address_index', 'reporters', ['address_index'])
    op.create_index('ix_reporters_without_address_index', 'reporters', ['id'], sqlite_where=_lacks_one,
                    postgresql_where=_lacks_one)


def downgrade() -> None:
    op.drop_index('ix_reporters_without_address_index', table_name='reporters')
    op.drop_index('ix_reporters_address_index', table_name='reporters')
    op.drop_column('reporters', 'address_index')
