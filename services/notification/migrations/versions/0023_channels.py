"""How a complaint came, for the recapitulation and for those who follow it."""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('journeys', sa.Column('channel', sa.String(length=20), server_default='web', nullable=False))


def downgrade() -> None:
    _must_have_none_of_operators()
    op.drop_column('journeys', 'channel')


def _must_have_none_of_operators() -> None:
    """Raise RuntimeError where operators entered complaints, whose persons may lack an address for letters."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM journeys WHERE channel <> 'web' LIMIT 1")).first():
        raise RuntimeError(
            'This database holds complaints that operators entered, which the version before does not know. Restore a '
            'copy from before the upgrade instead.'
        )
