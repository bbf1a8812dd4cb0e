"""The outbox, the inbox and the closed complaints: three tables in every stage's database.

The outbox holds each event a stage publishes, written in the transaction of the change; the relay publishes it and
marks it sent. The inbox holds the id of each event a stage has handled, written in the transaction of its effect, so
that a redelivery changes nothing. The third table holds when complaints were closed, and rows about a complaint are
pruned some time after that (nkk.store.pruning).
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text, text

from nkk.store.database import UtcDateTime


def outbox_table(metadata: MetaData) -> Table:
    """Declare the outbox in a stage's metadata.

    Events of one `subject` are published in order; `opd` is the agency whose team the event concerns; `mandatory` means
    that a queue must be bound; `held_until` delays the retry of an event that the broker could not route.
    """
    table = Table(
        "outbox",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("event_id", String(36), nullable=False, unique=True),
        Column("type", String(100), nullable=False),
        Column("exchange", String(100), nullable=False),
        Column("subject", String(64), nullable=False),
        Column("opd", String(64)),
        Column("body", Text, nullable=False),
        Column("mandatory", Boolean, nullable=False),
        Column("correlation_id", String(64)),
        Column("created_at", UtcDateTime, nullable=False),
        Column("sent_at", UtcDateTime),
        Column("held_until", UtcDateTime),
    )
    unsent = table.c.sent_at.is_(None)
    # `id > 0` is always true and steers PostgreSQL's planner on stale statistics: the relay's query repeats it, to use
    # this index; its subquery for a subject's first event does not, or would scan the whole backlog for each row.
    in_turn = text("sent_at IS NULL AND id > 0")
    Index("ix_outbox_unsent", table.c.id, sqlite_where=in_turn, postgresql_where=in_turn)
    Index("ix_outbox_unsent_subject", table.c.subject, table.c.id, sqlite_where=unsent, postgresql_where=unsent)
    sent = table.c.sent_at.is_not(None)
    Index("ix_outbox_sent_subject", table.c.subject, sqlite_where=sent, postgresql_where=sent)
    return table


def inbox_table(metadata: MetaData) -> Table:
    """Declare the inbox in a stage's metadata; `ticket` is NULL where the event is not about a complaint."""
    table = Table(
        "inbox",
        metadata,
        Column("consumer", String(100), primary_key=True),
        Column("event_id", String(200), primary_key=True),
        Column("handled_at", UtcDateTime, nullable=False),
        Column("ticket", String(20)),
    )
    of_complaint = table.c.ticket.is_not(None)
    Index("ix_inbox_ticket", table.c.ticket, sqlite_where=of_complaint, postgresql_where=of_complaint)
    return table


def closed_table(metadata: MetaData) -> Table:
    """Declare the closed complaints in a stage's metadata; `pruned_at` is when their outbox rows were deleted."""
    table = Table(
        "closed",
        metadata,
        Column("ticket", String(20), primary_key=True),
        Column("closed_at", UtcDateTime, nullable=False),
        Column("pruned_at", UtcDateTime),
    )
    kept = table.c.pruned_at.is_(None)
    Index("ix_closed_kept", table.c.closed_at, sqlite_where=kept, postgresql_where=kept)
    Index("ix_closed_pruned", table.c.pruned_at, sqlite_where=~kept, postgresql_where=~kept)
    return table
