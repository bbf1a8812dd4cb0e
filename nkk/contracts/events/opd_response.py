"""The events that opd_response publishes."""

from collections.abc import Sequence
from typing import Any

from marshmallow import fields, validate

from nkk.contracts.envelope import EventData, event, wire
from nkk.contracts.events.parts import calendar_version, forwarding_number, opaque, round_number
from nkk.contracts.fields import NOTE_LENGTH, PlainText, Slug, Ticket
from nkk.contracts.files import told_files
from nkk.sop.report import TEXT_LENGTH
from nkk.sop.steps import MOST_DAYS


@event("response.submitted.v1", service="opd_response", consumers=("triage", "notification"))
class ResponseSubmitted(EventData):
    """Step 4: the OPD team submitted its response. `round` counts its responses to this complaint, from 1."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(forwarding_number())
    round: int = wire(round_number())
    text: str = wire(PlainText(TEXT_LENGTH))
    calendar: int = wire(calendar_version())
    files: Sequence[dict[str, Any]] = wire(told_files())
    by: str = wire(opaque())


@event("complaint.declined.v1", service="opd_response", consumers=("triage", "notification"))
class ComplaintDeclined(EventData):
    """The OPD team declined the complaint, which is not its own: back to step 3. `note` says why, `better` names the
    OPD that it believes to be in charge, if it knows one; `round` is the number of the response that was awaited."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(forwarding_number())
    round: int = wire(round_number())
    note: str = wire(PlainText(NOTE_LENGTH))
    better: str | None = wire(Slug(allow_none=True))
    calendar: int = wire(calendar_version())
    by: str = wire(opaque())


@event("time.requested.v1", service="opd_response", consumers=("triage", "notification"))
class TimeRequested(EventData):
    """The OPD team asked for `days` more working days for step 4, once for each forwarding. `round` is the number of
    the response that is awaited."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(forwarding_number())
    round: int = wire(round_number())
    days: int = wire(fields.Integer(strict=True, validate=validate.Range(1, MOST_DAYS)))
    reason: str = wire(PlainText(NOTE_LENGTH))
    by: str = wire(opaque())
