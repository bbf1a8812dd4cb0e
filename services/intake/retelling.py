"""Conversion of old outbox rows that hold reporter ids in the clear, so that they are not republished as they were.

`nkk republish` publishes the outbox's rows unchanged. Rows of `complaint.submitted.v1` are therefore converted to
`complaint.submitted.v2`. They keep their event ids, by which consumers recognise events that they handled before.
"""

from typing import Any

from nkk.contracts.events import ComplaintSubmitted, ComplaintSubmittedV1
from nkk.messaging.host import sleep, timer
from services.intake.identity import Vault

SEAL_SECONDS = 600
"""The interval of the conversion, repeated since instances of an earlier version may still publish the old type."""

BATCH = 100


class SealsTold:
    """The part of intake that seals reporter ids in published events."""

    uow: Any
    vault: Any

    @timer(interval=SEAL_SECONDS)
    def seal_told(self) -> None:
        """Convert the outbox's rows of the old type to the new one, a transaction for each batch."""
        last: int | None = 0
        while last is not None:
            last = self._seal_batch(last)
            sleep(0)

    def _seal_batch(self, after: int) -> int | None:
        """Convert the next rows after id `after`; return the last one's id, or None where none were left."""
        with self.uow.begin() as work:
            rows = work.told_plain.rows(after, BATCH)
            for row in rows:
                work.told_plain.replace(row.id, ComplaintSubmitted.TYPE, sealed(row.body, self.vault))
        return rows[-1].id if rows else None


def sealed(body: str, vault: Vault) -> str:
    """Return the envelope of a ComplaintSubmittedV1 converted to ComplaintSubmitted, with the same event id."""
    told = ComplaintSubmittedV1.read(body)
    known = vars(told.data).copy()
    box = vault.seal_reporter(told.data.ticket, known.pop("reporter_id"))
    return ComplaintSubmitted(sealed_reporter=box, **known).to_json(told.id, told.time, told.correlation_id)
