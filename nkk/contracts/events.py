"""Every event of the procedure: the table of contents of what the stages tell each other.

Names are past tense and never change. An event carries what the next stage decides on and no more: no event carries a
reporter's name, NIK, NIP, e-mail or phone in the clear, and only the events a team works from carry a report's text.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import fields, validate

from nkk.contracts.envelope import EventData, event, shape, wire
from nkk.contracts.fields import NOTE_LENGTH, Calendar, Happened, Instant, Line, PlainText, Slug, Ticket
from nkk.sop.report import NAME_LENGTH, SUBJECT_LENGTH, TEXT_LENGTH
from nkk.sop.steps import STEPS, Channel, Path, ReporterKind, Role


def _one_of(kinds: type) -> fields.String:
    return fields.String(validate=validate.OneOf([str(kind) for kind in kinds]))  # type: ignore[attr-defined]


def _opaque() -> fields.String:
    return fields.String(validate=validate.Length(1, 64))


def _calendar() -> fields.Integer:
    """The version of the calendar that the clock started by this event runs by; 0 in events older than calendars."""
    return fields.Integer(strict=True, load_default=0, validate=validate.Range(0, 1_000_000))


def _service_calendar() -> fields.Integer:
    """The version of the calendar that `service_due_at` is counted by, which the submission named; None in events older
    than this field."""
    return fields.Integer(strict=True, allow_none=True, load_default=None, validate=validate.Range(0, 1_000_000))


def _channel() -> fields.String:
    return fields.String(load_default=str(Channel.WEB), validate=validate.OneOf([str(kind) for kind in Channel]))


def _step() -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(1, 7))


def _round(least: int = 1) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(least, 1_000))


@event("reporter.registered.v1", service="intake", consumers=("notification",), subject="reporter_id", private=True)
class ReporterRegistered(EventData):
    """Step 1: a reporter registered. Only notification can open `sealed_contact`."""

    reporter_id: str = wire(_opaque())
    reporter_kind: str = wire(_one_of(ReporterKind))
    sealed_contact: str = wire(fields.String(validate=validate.Length(1, 4_000)))


@event(
    "password.reset_requested.v1", service="intake", consumers=("notification",), subject="reporter_id", private=True
)
class PasswordResetRequested(EventData):
    """Somebody asked for a new password for a reporter's account. Only notification can open `sealed_letter`, which
    holds the code and where it goes; a code whose `expires_at` has passed goes nowhere."""

    reporter_id: str = wire(_opaque())
    sealed_letter: str = wire(fields.String(validate=validate.Length(1, 4_000)))
    expires_at: datetime = wire(Instant())


@event("complaint.submitted.v1", service="intake", consumers=("notification",))
class ComplaintSubmittedV1(EventData):
    """Step 1 as it was told before `complaint.submitted.v2`: still understood, and no longer published, since its
    `reporter_id` says which reports have one author."""

    ticket: str = wire(Ticket())
    reporter_id: str = wire(_opaque())
    reporter_kind: str = wire(_one_of(ReporterKind))
    category: str = wire(Slug())
    sub_category: str = wire(Slug())
    confidential: bool = wire(fields.Boolean())
    submitted_at: datetime = wire(Happened())
    service_due_at: datetime = wire(Instant())
    calendar: int = wire(_calendar())


@event("complaint.submitted.v2", service="intake", consumers=("notification",))
class ComplaintSubmitted(EventData):
    """Step 1: the form was entered. `service_due_at` is the end of the two working days promised for the whole. Only
    notification can open `sealed_reporter`, which says whose report it is, and no two look alike; `channel` is the way
    it came by."""

    ticket: str = wire(Ticket())
    sealed_reporter: str = wire(fields.String(validate=validate.Length(1, 4_000)))
    reporter_kind: str = wire(_one_of(ReporterKind))
    channel: str = wire(_channel())
    category: str = wire(Slug())
    sub_category: str = wire(Slug())
    confidential: bool = wire(fields.Boolean())
    submitted_at: datetime = wire(Happened())
    service_due_at: datetime = wire(Instant())
    calendar: int = wire(_calendar())


@shape
class _Report(EventData):
    """The report itself, for those who work from it."""

    category: str = wire(Slug())
    sub_category: str = wire(Slug())
    subject_line: str = wire(Line(SUBJECT_LENGTH))
    text: str = wire(PlainText(TEXT_LENGTH))
    place: str | None = wire(Line(NAME_LENGTH, allow_none=True))
    happened_on: str | None = wire(Line(NAME_LENGTH, allow_none=True))
    accused_name: str | None = wire(Line(NAME_LENGTH, allow_none=True))
    accused_position: str | None = wire(Line(NAME_LENGTH, allow_none=True))
    accused_opd: str | None = wire(Slug(allow_none=True))


@event("complaint.handed_over.v1", service="intake", consumers=("triage", "notification"))
class ComplaintHandedOver(_Report):
    """Step 2: the operator received the report and handed it to Tim Utama, who works from what stands here."""

    ticket: str = wire(Ticket())
    reporter_kind: str = wire(_one_of(ReporterKind))
    claimed_kind: str = wire(fields.String(validate=validate.Length(1, 20)))
    confidential: bool = wire(fields.Boolean())
    submitted_at: datetime = wire(Happened())
    service_due_at: datetime = wire(Instant())
    service_calendar: int | None = wire(_service_calendar())
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("complaint.classified_as_information.v1", service="triage", consumers=("notification",))
class ComplaintClassifiedAsInformation(EventData):
    """Step 3, "ya": it is information; the operator answers directly, helped by Tim Utama's `note`."""

    ticket: str = wire(Ticket())
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    service_due_at: datetime = wire(Instant())
    service_calendar: int | None = wire(_service_calendar())
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("complaint.forwarded.v1", service="triage", consumers=("opd_response", "notification"))
class ComplaintForwarded(_Report):
    """Step 3, "tidak": it is a complaint; the helper team of `opd` works from what stands here."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    service_due_at: datetime = wire(Instant())
    service_calendar: int | None = wire(_service_calendar())
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("response.submitted.v1", service="opd_response", consumers=("triage", "notification"))
class ResponseSubmitted(EventData):
    """Step 4: the OPD team answered. `round` counts its responses to this complaint, from 1."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    round: int = wire(_round())
    text: str = wire(PlainText(TEXT_LENGTH))
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("response.returned.v1", service="triage", consumers=("opd_response", "notification"))
class ResponseReturned(EventData):
    """Step 5: Tim Utama sent response number `round` back, and says in `note` what it lacks."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    round: int = wire(_round())
    note: str = wire(PlainText(NOTE_LENGTH))
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("response.approved.v1", service="triage", consumers=("notification",))
class ResponseApproved(EventData):
    """Step 5: Tim Utama handed the response to the operator, who sends it out."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    round: int = wire(_round())
    text: str = wire(PlainText(TEXT_LENGTH))
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    service_due_at: datetime = wire(Instant())
    service_calendar: int | None = wire(_service_calendar())
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("answer.sent.v1", service="notification")
class AnswerSent(EventData):
    """Step 6: the operator sent the answer to the reporter."""

    ticket: str = wire(Ticket())
    path: str = wire(_one_of(Path))
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("complaint.closed.v1", service="notification", consumers=("intake", "triage", "opd_response"))
class ComplaintClosed(EventData):
    """Step 7: the reporter has the answer. `how`: confirmed, opened (read while logged in), or lapsed."""

    ticket: str = wire(Ticket())
    path: str = wire(_one_of(Path))
    how: str = wire(fields.String(validate=validate.OneOf(["confirmed", "opened", "lapsed"])))


STAGES = ("intake", "triage", "opd_response", "notification")


@event("calendar.changed.v1", service="intake", consumers=("triage", "opd_response", "notification"), subject="name")
class CalendarChanged(EventData):
    """The calendar has a new version: clocks started from now on run by it, those that run already do not change."""

    name: str = wire(fields.String(validate=validate.OneOf(["office-hours"])))
    version: int = wire(fields.Integer(strict=True, validate=validate.Range(1, 1_000_000)))
    content: dict[str, Any] = wire(Calendar())
    by: str = wire(_opaque())


@event("lists.changed.v1", service="intake", consumers=("triage",), subject="name")
class ListsChanged(EventData):
    """The admin's lists changed: complaints may be forwarded to the agencies of the roster `opds`, and to no others.
    The highest `version` holds, whatever the order of arrival."""

    name: str = wire(fields.String(validate=validate.OneOf(["lists"])))
    version: int = wire(fields.Integer(strict=True, validate=validate.Range(1, 2**53)))
    opds: list[str] = wire(fields.List(Slug(), validate=validate.Length(1, 500)))


@shape
class _Alarm(EventData):
    """What is told of a step's clock that runs out: whose step, when it came and is due. `role` and `opd` name
    the team."""

    ticket: str = wire(Ticket())
    step: int = wire(_step())
    role: str = wire(_one_of(Role))
    opd: str | None = wire(Slug(allow_none=True))
    round: int = wire(_round(0))
    came_at: datetime = wire(Happened())
    due_at: datetime = wire(Instant())
    calendar: int = wire(_calendar())

    @classmethod
    def tellers(cls, data: Mapping[str, Any]) -> tuple[str, ...]:
        """The service that the step belongs to."""
        return tuple(step.owner for step in STEPS if step.number == data.get("step"))


@event("step.due_soon.v1", service=STAGES, consumers=("notification",))
class StepDueSoon(_Alarm):
    """Most of a step's standard time has passed, and the step is not done."""


@event("step.overdue.v1", service=STAGES, consumers=("notification",))
class StepOverdue(_Alarm):
    """A step was not done by its due time. Told once for each run of a step's clock that ends late."""


EVENTS: tuple[type[EventData], ...] = (
    ReporterRegistered,
    PasswordResetRequested,
    ComplaintSubmittedV1,
    ComplaintSubmitted,
    ComplaintHandedOver,
    ComplaintClassifiedAsInformation,
    ComplaintForwarded,
    ResponseSubmitted,
    ResponseReturned,
    ResponseApproved,
    AnswerSent,
    ComplaintClosed,
    StepDueSoon,
    StepOverdue,
    CalendarChanged,
    ListsChanged,
)
