"""The wire formats: events with their schemas and golden samples, field types, and the views that stages return."""

from nkk.contracts.envelope import CONTENT_TYPE, Event, EventData, UnreadableEventError, read_envelope
from nkk.contracts.events import EVENTS, STAGES

__all__ = ["CONTENT_TYPE", "EVENTS", "STAGES", "Event", "EventData", "UnreadableEventError", "read_envelope"]
