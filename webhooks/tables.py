"""The tables of the webhooks' database."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    exists,
    literal_column,
    select,
)

from nkk.store.database import UtcDateTime, new_metadata

metadata = new_metadata()

LONGEST_WHY = 250

_ID = BigInteger().with_variant(Integer, "sqlite")

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("name", String(40), nullable=False, unique=True),
    Column("origin", String(300), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("opd", String(100)),
    Column("types", Text),
    Column("sealed", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("state", String(10), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("next_at", UtcDateTime),
    Column("last_at", UtcDateTime),
    Column("last_answer", String(LONGEST_WHY)),
    Column("trouble", String(LONGEST_WHY)),
    Column("replay_since", String(40)),
    Column("dropped", Integer, nullable=False),
    # An id is never used again, because a running process knows webhooks by theirs.
    sqlite_autoincrement=True,
)

WAITING, DELIVERED, SET_ASIDE = "waiting", "delivered", "set_aside"

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("webhook_id", _ID, ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", String(200), nullable=False),
    Column("type", String(200), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("time", UtcDateTime, nullable=False),
    Column("heard_at", UtcDateTime, nullable=False),
    Column("sealed_body", Text),
    Column("state", String(10), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried_since", UtcDateTime),
    Column("next_at", UtcDateTime),
    Column("why", String(LONGEST_WHY)),
    UniqueConstraint("webhook_id", "event_id"),
)
# Literals, not bound parameters: SQLite uses a partial index only where the query shows the value.
waits = deliveries.c.state == literal_column(f"'{WAITING}'")
Index(
    "ix_deliveries_due",
    deliveries.c.webhook_id,
    deliveries.c.next_at,
    deliveries.c.id,
    sqlite_where=waits,
    postgresql_where=waits,
)
Index(
    "ix_deliveries_in_order",
    deliveries.c.webhook_id,
    deliveries.c.subject,
    deliveries.c.id,
    sqlite_where=waits,
    postgresql_where=waits,
)
Index("ix_deliveries_heard", deliveries.c.heard_at)

# What a process that works runs all the time is built once.
found = select(webhooks).where(webhooks.c.id == bindparam("id"))

_earlier = deliveries.alias()
due = (
    select(deliveries)
    .where(
        deliveries.c.webhook_id == bindparam("webhook_id"),
        waits,
        deliveries.c.next_at <= bindparam("now"),
        ~exists().where(
            _earlier.c.webhook_id == deliveries.c.webhook_id,
            _earlier.c.subject == deliveries.c.subject,
            _earlier.c.state == literal_column(f"'{WAITING}'"),
            _earlier.c.id < deliveries.c.id,
        ),
    )
    .order_by(deliveries.c.next_at, deliveries.c.id)
    .limit(bindparam("most", type_=Integer))
)
"""The first `most` deliveries of a webhook that are due `now`, of each subject the oldest that waits."""
