"""A stage whose handler waits for something slow, such as a call to another system of the agency for each complaint."""

import time

from nkk.contracts import Event
from nkk.contracts.events import ComplaintForwarded
from nkk.messaging.consumer import handles
from services.opd_response.service import OpdResponseService

WAITS_SECONDS = 0.25


class SlowOpdResponse(OpdResponseService):
    """opd_response, except that each complaint takes WAITS_SECONDS to consume."""

    name = "opd_response"

    @handles(ComplaintForwarded)
    def on_complaint_forwarded(self, event: Event[ComplaintForwarded]) -> None:
        """Wait, cooperatively under `nameko run`, and then do what the stage does."""
        time.sleep(WAITS_SECONDS)
        OpdResponseService.on_complaint_forwarded(self, event)
