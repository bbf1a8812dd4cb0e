"""The OPD that an event concerns, by which its tools receive it."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

_FILL_IN = {
    'postgresql': """UPDATE outbox SET opd = CAST(body AS json) -> 'data' ->> 'opd'""",
    'sqlite': """UPDATE outbox SET opd = json_extract(body, '$.data.opd')""",
}


def upgrade() -> None:
    op.add_column('outbox', sa.Column('opd', sa.String(length=64), nullable=True))
    op.execute(_FILL_IN[op.get_bind().dialect.name])


def downgrade() -> None:
    op.drop_column('outbox', 'opd')
