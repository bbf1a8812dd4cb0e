"""The OPD that an event concerns, by which its tools receive it.

Earlier forwardings and approvals give the due time of the service to the second, from which the time of submission can
be computed. They are left without an OPD, so that a replay gives them to no OPD's tool.
"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

_FILL_IN = {
    'postgresql': """UPDATE outbox SET opd = CAST(body AS json) -> 'data' ->> 'opd' WHERE type NOT IN ('complaint.forwarded.v1', 'response.approved.v1')""",
    'sqlite': """UPDATE outbox SET opd = json_extract(body, '$.data.opd') WHERE type NOT IN ('complaint.forwarded.v1', 'response.approved.v1')""",
}


def upgrade() -> None:
    op.add_column('outbox', sa.Column('opd', sa.String(length=64), nullable=True))
    op.execute(_FILL_IN[op.get_bind().dialect.name])


def downgrade() -> None:
    op.drop_column('outbox', 'opd')
