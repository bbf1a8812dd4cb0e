"""What was told before `complaint.submitted.v2` named reporters in the clear: it is not to be told again as it was.

`nkk republish` publishes the outbox's rows as they are. Those of `complaint.submitted.v1` therefore become what would
be told today, under their own ids: whoever had heard one knows it by that.
"""

from typing import Any

from nkk.contracts.events import ComplaintSubmitted, ComplaintSubmittedV1
from nkk.messaging.host import sleep, timer
from services.intake.identity import Vault

SEAL_SECONDS = 600
"""An instance of a version before may still tell the old shape beside us."""

BATCH = 100


class SealsTold:
    """The part of intake that seals what was told in the clear."""

    uow: Any
    vault: Any

    @timer(interval=SEAL_SECONDS)
    def seal_told(self) -> None:
        """Put the new shape in the place of the old one in the outbox; a batch is one transaction."""
        last: int | None = 0
        while last is not None:
            last = self._seal_batch(last)
            sleep(0)

    def _seal_batch(self, after: int) -> int | None:
        """Seal the next rows; the last one's id, None where none were left."""
        with self.uow.begin() as work:
            rows = work.told_plain.rows(after, BATCH)
            for row in rows:
                work.told_plain.replace(row.id, ComplaintSubmitted.TYPE, sealed(row.body, self.vault))
        return rows[-1].id if rows else None


def sealed(body: str, vault: Vault) -> str:
    """The envelope of a ComplaintSubmittedV1 as it would be told today."""
    told = ComplaintSubmittedV1.read(body)
    known = vars(told.data).copy()
    box = vault.seal_reporter(told.data.ticket, known.pop("reporter_id"))
    return ComplaintSubmitted(sealed_reporter=box, **known).to_json(told.id, told.time, told.correlation_id)
