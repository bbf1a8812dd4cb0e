"""Repositories of the reports as submitted, and of published events that hold a reporter's id in the clear."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    select,
    update,
)

from nkk.desk import (
    Rows,
)
from nkk.sop.endings import WITHDRAWN
from nkk.store.database import insert_if_absent
from nkk.store.paging import page
from nkk.trust.actor import Actor
from services.intake.domain import Complaint
from services.intake.storage.tables import complaints, outbox, recusals, submissions, told_plain, waiting


class Complaints(Rows[Complaint]):
    """The repository of the reports as submitted."""

    TABLE = complaints
    RECUSALS = recusals
    HELD = Complaint
    OPEN = waiting

    def submitted_before(self, reporter_id: str, key: str, form_hash: str, ticket: str) -> tuple[str, str] | None:
        """Reserve an idempotency key for `ticket`; return (form hash, ticket) of the report that has it, or None."""
        row = {"reporter_id": reporter_id, "idempotency_key": key, "form_hash": form_hash, "ticket": ticket}
        if insert_if_absent(self._connection, submissions, row):
            return None
        query = select(submissions.c.form_hash, submissions.c.ticket).where(
            submissions.c.reporter_id == reporter_id, submissions.c.idempotency_key == key
        )
        taken = self._connection.execute(query).one()
        return taken.form_hash, taken.ticket

    def close(self, ticket: str, at: datetime) -> None:
        """Note when a complaint was closed, where there is one. A withdrawal of it came after its answer."""
        of_ticket = update(complaints).where(complaints.c.ticket == ticket)
        self._connection.execute(of_ticket.values(closed_at=at))
        not_ended = {"ended": None, "ended_at": None, "ended_why": None}
        # What a desk closed as not completed was so after it, in a second cycle.
        self._connection.execute(of_ticket.where(complaints.c.ended == WITHDRAWN).values(not_ended))

    def of(self, tickets: list[str], actor: Actor | None = None) -> list[Complaint]:
        """Return the reports among `tickets` that exist, and that `actor` may see."""
        query = select(complaints).where(complaints.c.ticket.in_(tickets), *self._seen_by(actor))
        rows = self._connection.execute(query)
        return [self._read(row) for row in rows]

    def of_reporter(
        self, reporter_id: str, cursor: str | None, limit: int | None
    ) -> tuple[list[Complaint], str | None]:
        """Return a page of a reporter's own reports, newest first, and the cursor of the next page."""
        return page(
            self._connection,
            select(complaints).where(complaints.c.reporter_id == reporter_id),
            [complaints.c.came_at, complaints.c.ticket],
            cursor,
            limit,
            self._read,
            descending=True,
        )


class ToldPlain:
    """The repository of outbox rows that hold a reporter's id in the clear."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, after: int, limit: int) -> list[Any]:
        """Return and lock (id, body) of the next rows, skipping those that the relay has locked for publishing."""
        query = select(outbox.c.id, outbox.c.body).where(told_plain, outbox.c.id > after).order_by(outbox.c.id)
        return list(self._connection.execute(query.limit(limit).with_for_update(skip_locked=True)))

    def replace(self, id_: int, type_: str, body: str) -> None:
        """Replace the event type and the body of a row."""
        self._connection.execute(update(outbox).where(outbox.c.id == id_).values(type=type_, body=body))
