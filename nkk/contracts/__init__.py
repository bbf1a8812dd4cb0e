"""What crosses the wire: one frozen dataclass per event, its schema and a golden sample. No behaviour."""

from nkk.contracts.envelope import CONTENT_TYPE, Event, EventData, UnreadableEventError, read_envelope
from nkk.contracts.events import EVENTS, STAGES

__all__ = ["CONTENT_TYPE", "EVENTS", "STAGES", "Event", "EventData", "UnreadableEventError", "read_envelope"]
