"""The stages as they were before calendars had versions: they neither write nor understand the field `calendar`.

Imported only by the process of such an instance, in which every event has the older shape.
"""

from marshmallow import EXCLUDE

from nkk.contracts import EVENTS
from services.intake.service import IntakeService
from services.notification.service import NotificationService
from services.opd_response.service import OpdResponseService
from services.triage.service import TriageService

__all__ = ["IntakeService", "NotificationService", "OpdResponseService", "TriageService"]

LATER_FIELDS = ("calendar", "service_calendar")

for event in EVENTS:
    event.SCHEMA = type(event.SCHEMA)(
        unknown=EXCLUDE, exclude=[name for name in LATER_FIELDS if name in event.SCHEMA.fields]
    )
