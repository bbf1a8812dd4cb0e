"""The events that intake publishes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from marshmallow import fields, validate

from nkk.contracts.additions import told_additions
from nkk.contracts.envelope import EventData, event, wire
from nkk.contracts.events.parts import (
    ReportFields,
    barred_hash,
    calendar_version,
    channel_kind,
    one_of,
    opaque,
    round_number,
    service_calendar_version,
    website_account,
)
from nkk.contracts.fields import NOTE_LENGTH, Calendar, Happened, Instant, PlainText, Slug, Ticket
from nkk.contracts.files import told_files
from nkk.sop.files import MOST_OF_A_REPORT
from nkk.sop.steps import ReporterKind


@event("reporter.registered.v1", service="intake", consumers=("notification",), subject="reporter_id", private=True)
class ReporterRegistered(EventData):
    """Step 1: a reporter registered. Only notification can open `sealed_contact`."""

    reporter_id: str = wire(opaque())
    reporter_kind: str = wire(one_of(ReporterKind))
    sealed_contact: str = wire(fields.String(validate=validate.Length(1, 4_000)))


@event(
    "password.reset_requested.v1", service="intake", consumers=("notification",), subject="reporter_id", private=True
)
class PasswordResetRequested(EventData):
    """A password reset was requested for a reporter's account. Only notification can open `sealed_letter`, which holds
    the code and the address; an expired code is not sent."""

    reporter_id: str = wire(opaque())
    sealed_letter: str = wire(fields.String(validate=validate.Length(1, 4_000)))
    expires_at: datetime = wire(Instant())


@event("complaint.submitted.v1", service="intake", consumers=("notification",))
class ComplaintSubmittedV1(EventData):
    """Step 1: a report was submitted, in the form before `complaint.submitted.v2`. This type is still consumed but no
    longer published, because its `reporter_id` reveals which reports have the same author."""

    ticket: str = wire(Ticket())
    reporter_id: str = wire(opaque())
    reporter_kind: str = wire(one_of(ReporterKind))
    category: str = wire(Slug())
    sub_category: str = wire(Slug())
    confidential: bool = wire(fields.Boolean())
    submitted_at: datetime = wire(Happened())
    service_due_at: datetime = wire(Instant())
    calendar: int = wire(calendar_version())


@event("complaint.submitted.v2", service="intake", consumers=("notification",))
class ComplaintSubmitted(EventData):
    """Step 1: a report was submitted. `service_due_at` is the end of the two working days promised for the whole
    service. Only notification can open `sealed_reporter`, the reporter's id, sealed differently each time; `channel` is
    how the report was received, and `website` the account of the website that sent it in for a person, or None."""

    ticket: str = wire(Ticket())
    sealed_reporter: str = wire(fields.String(validate=validate.Length(1, 4_000)))
    reporter_kind: str = wire(one_of(ReporterKind))
    channel: str = wire(channel_kind())
    website: str | None = wire(website_account())
    category: str = wire(Slug())
    sub_category: str = wire(Slug())
    confidential: bool = wire(fields.Boolean())
    submitted_at: datetime = wire(Happened())
    service_due_at: datetime = wire(Instant())
    calendar: int = wire(calendar_version())
    barred: str | None = wire(barred_hash())


@event("complaint.handed_over.v1", service="intake", consumers=("triage", "notification"))
class ComplaintHandedOver(ReportFields):
    """Step 2: the operator received the report and handed it to the main team (Tim Utama), which works from it.

    `conflict`: the reporter says that the person whom the report is about leads, or sits in, the team that handles
    complaints at their agency.
    """

    ticket: str = wire(Ticket())
    reporter_kind: str = wire(one_of(ReporterKind))
    claimed_kind: str = wire(fields.String(validate=validate.Length(1, 20)))
    confidential: bool = wire(fields.Boolean())
    submitted_at: datetime = wire(Happened())
    service_due_at: datetime = wire(Instant())
    service_calendar: int | None = wire(service_calendar_version())
    calendar: int = wire(calendar_version())
    files: Sequence[dict[str, Any]] = wire(told_files())
    additions: Sequence[dict[str, Any]] = wire(told_additions())
    conflict: bool = wire(fields.Boolean(load_default=False))
    barred: str | None = wire(barred_hash())
    by: str = wire(opaque())


@event("report.supplemented.v1", service="intake", consumers=("triage",))
class ReportSupplemented(EventData):
    """The reporter added words, files or both to their report after it was handed over, at the latest ten working days
    after it was closed."""

    ticket: str = wire(Ticket())
    files: Sequence[dict[str, Any]] = wire(told_files())
    additions: Sequence[dict[str, Any]] = wire(told_additions())


@event("report.added_to.v1", service="intake", consumers=("notification",))
class ReportAddedTo(EventData):
    """The reporter added to their report, before or after it was handed over.

    For the journey: how many files came, none with words alone, and nothing else of them.
    """

    ticket: str = wire(Ticket())
    files: int = wire(fields.Integer(strict=True, validate=validate.Range(0, MOST_OF_A_REPORT)))


@event("complaint.withdrawn.v1", service="intake", consumers=("triage", "notification"))
class ComplaintWithdrawn(EventData):
    """The reporter withdrew their report, which ends it outside of steps 6 and 7, unless the answer of this `cycle` was
    sent before. `cycle` is 1, or 2 after an objection. `handed_over` says whether step 2 was done. The event's `time`
    is the day of it only, as its first instant in WIB."""

    ticket: str = wire(Ticket())
    cycle: int = wire(round_number())
    handed_over: bool = wire(fields.Boolean())
    reason: str = wire(PlainText(NOTE_LENGTH))


@event("calendar.changed.v1", service="intake", consumers=("triage", "opd_response", "notification"), subject="name")
class CalendarChanged(EventData):
    """The calendar has a new version, by which clocks count that start from now on. Running clocks do not change."""

    name: str = wire(fields.String(validate=validate.OneOf(["office-hours"])))
    version: int = wire(fields.Integer(strict=True, validate=validate.Range(1, 1_000_000)))
    content: dict[str, Any] = wire(Calendar())
    by: str = wire(opaque())


@event("lists.changed.v1", service="intake", consumers=("triage",), subject="name")
class ListsChanged(EventData):
    """An admin changed the roster: complaints may be forwarded only to the agencies `opds`. The highest `version`
    received is in force, in whatever order the events arrive."""

    name: str = wire(fields.String(validate=validate.OneOf(["lists"])))
    version: int = wire(fields.Integer(strict=True, validate=validate.Range(1, 2**53)))
    opds: list[str] = wire(fields.List(Slug(), validate=validate.Length(1, 500)))
