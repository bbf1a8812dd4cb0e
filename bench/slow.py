"""A stage whose handler waits on something slow, as one would that asks a system of the agency's for each complaint."""

import time

from nkk.contracts import Event
from nkk.contracts.events import ComplaintForwarded
from nkk.messaging.consumer import handles
from services.opd_response.service import OpdResponseService

WAITS_SECONDS = 0.25


class SlowOpdResponse(OpdResponseService):
    """opd_response, but that each complaint takes WAITS_SECONDS to come in."""

    name = "opd_response"

    @handles(ComplaintForwarded)
    def on_complaint_forwarded(self, event: Event[ComplaintForwarded]) -> None:
        """Wait (`nameko run` makes it cooperative), then do what the stage does."""
        time.sleep(WAITS_SECONDS)
        OpdResponseService.on_complaint_forwarded(self, event)
