"""Pruning: the outbox and inbox rows of a complaint are deleted some time after it was closed.

The inbox keeps its rows longer than any stage's outbox, so that no event is published again after its inbox row is
deleted: docs/adr/0018-what-is-kept-of-events.md.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select, update

from nkk.store.work import Work

BATCH = 100
"""The largest number of complaints in one transaction: a long transaction would block others."""

KNOWN_FOR = timedelta(days=30)
"""How much longer the inbox keeps the rows of a complaint than the outbox does."""


def prune(work: Work, now: datetime, kept: timedelta) -> bool:
    """Prune a batch of complaints that were closed at least `kept` ago, and return whether there may be more."""
    counts = [
        _prune_outbox(work, now, now - kept),
        _prune_inbox(work, now - KNOWN_FOR),
        work.prune_by_age(now - kept, BATCH),
    ]
    return BATCH in counts


def _prune_outbox(work: Work, now: datetime, closed_before: datetime) -> int:
    closed, outbox = work.CLOSED, work.OUTBOX
    unsent = exists().where(outbox.c.subject == closed.c.ticket, outbox.c.sent_at.is_(None))
    query = select(closed.c.ticket).where(closed.c.pruned_at.is_(None), closed.c.closed_at < closed_before, ~unsent)
    query = query.order_by(closed.c.closed_at).limit(BATCH).with_for_update(skip_locked=True, of=closed)
    tickets = list(work.connection.execute(query).scalars())
    if tickets:
        sent = outbox.c.sent_at.is_not(None)
        work.connection.execute(delete(outbox).where(outbox.c.subject.in_(tickets), sent))
        work.connection.execute(update(closed).where(closed.c.ticket.in_(tickets)).values(pruned_at=now))
    return len(tickets)


def _prune_inbox(work: Work, pruned_before: datetime) -> int:
    closed, inbox = work.CLOSED, work.INBOX
    query = select(closed.c.ticket).where(closed.c.pruned_at < pruned_before).order_by(closed.c.pruned_at).limit(BATCH)
    tickets = list(work.connection.execute(query.with_for_update(skip_locked=True)).scalars())
    if tickets:
        work.connection.execute(delete(inbox).where(inbox.c.ticket.in_(tickets)))
        work.connection.execute(delete(closed).where(closed.c.ticket.in_(tickets)))
    return len(tickets)
