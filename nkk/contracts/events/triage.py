"""The events that triage publishes."""

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
    day_of_service_due,
    forwarding_number,
    joined_with,
    opaque,
    round_number,
    service_calendar_version,
)
from nkk.contracts.fields import NOTE_LENGTH, Instant, PlainText, Slug, Ticket
from nkk.contracts.files import told_files
from nkk.contracts.gathered import told_gathered
from nkk.sop.files import MOST_AT_ONCE
from nkk.sop.gathered import MOST_GATHERED
from nkk.sop.report import TEXT_LENGTH
from nkk.sop.steps import MOST_DAYS


@event("complaint.supplemented.v1", service="triage", consumers=("opd_response",))
class ComplaintSupplemented(EventData):
    """What the reporter added to their report, passed on to the team of the OPD that the complaint is with. The event's
    `time` is the day of it only, as its first instant in WIB."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(forwarding_number())
    files: Sequence[dict[str, Any]] = wire(told_files())
    additions: Sequence[dict[str, Any]] = wire(told_additions())


@event("complaint.classified_as_information.v1", service="triage", consumers=("notification",))
class ComplaintClassifiedAsInformation(EventData):
    """Step 3, "ya": the report was classified as information; the operator answers it, using the main team's `note`.
    Where it was joined with another, `joined_to`, it was classified together with that."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(forwarding_number())
    joined_to: str | None = wire(joined_with())
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    service_due_at: datetime = wire(Instant())
    service_calendar: int | None = wire(service_calendar_version())
    calendar: int = wire(calendar_version())
    by: str = wire(opaque())


@event("complaint.forwarded.v1", service="triage", consumers=("opd_response", "notification"))
class ComplaintForwarded(ReportFields):
    """Step 3, "tidak": the report was classified as a complaint and forwarded to the team of `opd`. `round` is the
    number of responses that were received before; `kept` that its reporter withdrew it, and it goes on without them."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(forwarding_number())
    round: int = wire(round_number(0, load_default=0))
    kept: bool = wire(fields.Boolean(load_default=False))
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    service_due_at: datetime = wire(day_of_service_due())
    service_calendar: int | None = wire(service_calendar_version())
    calendar: int = wire(calendar_version())
    files: Sequence[dict[str, Any]] = wire(told_files())
    additions: Sequence[dict[str, Any]] = wire(told_additions())
    barred: str | None = wire(barred_hash())
    by: str = wire(opaque())


@event("response.returned.v1", service="triage", consumers=("opd_response", "notification"))
class ResponseReturned(EventData):
    """Step 5: the main team returned response number `round`; `note` says what it lacks."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(forwarding_number())
    round: int = wire(round_number())
    note: str = wire(PlainText(NOTE_LENGTH))
    calendar: int = wire(calendar_version())
    by: str = wire(opaque())


@event("response.approved.v1", service="triage", consumers=("notification",))
class ResponseApproved(EventData):
    """Step 5: the main team approved the response and handed it to the operator, who sends the answer."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(forwarding_number())
    round: int = wire(round_number())
    text: str = wire(PlainText(TEXT_LENGTH))
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    service_due_at: datetime = wire(day_of_service_due())
    service_calendar: int | None = wire(service_calendar_version())
    calendar: int = wire(calendar_version())
    files: Sequence[dict[str, Any]] = wire(told_files())
    by: str = wire(opaque())


@event("response.gathered.v1", service="triage", consumers=("notification",))
class ResponseGathered(EventData):
    """Step 5: the main team kept response number `round`, of the team of `from_opd`, and forwarded the complaint to a
    further OPD, whose response comes beside it. `complaint.forwarded.v1` with the next number says to which."""

    ticket: str = wire(Ticket())
    from_opd: str = wire(Slug())
    forwarding: int = wire(forwarding_number())
    round: int = wire(round_number())
    text: str = wire(PlainText(TEXT_LENGTH))
    files: Sequence[dict[str, Any]] = wire(told_files())
    by: str = wire(opaque())


@event("response.concluded.v1", service="triage", consumers=("notification",))
class ResponseConcluded(EventData):
    """Step 3: the main team handed the responses that were kept (`response.gathered.v1`) to the operator, because there
    is none of the further OPD: it declined, or the complaint was taken back from it. `files` are those of all."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(forwarding_number())
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    service_due_at: datetime = wire(day_of_service_due())
    service_calendar: int | None = wire(service_calendar_version())
    calendar: int = wire(calendar_version())
    files: Sequence[dict[str, Any]] = wire(told_files(MOST_AT_ONCE * MOST_GATHERED))
    by: str = wire(opaque())


@event("response.shared.v1", service="triage", consumers=("notification",))
class ResponseShared(EventData):
    """Step 5: the main team approved the response to the report that this one was joined with, `joined_to`, and handed
    it to the operator for this one, too. `gathered` are responses of other OPDs beside it. `round` is the number that
    they count as among the responses to this report, by which all `files` are numbered; 0 in older events.
    `responded_at` is when the last response came; None in older events. No OPD's tool receives this: the OPD has not
    got this report."""

    ticket: str = wire(Ticket())
    joined_to: str = wire(Ticket())
    forwarding: int = wire(forwarding_number())
    round: int = wire(round_number(0, load_default=0))
    responded_at: datetime | None = wire(Instant(allow_none=True, load_default=None))
    text: str = wire(PlainText(TEXT_LENGTH))
    gathered: Sequence[dict[str, Any]] = wire(told_gathered())
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    service_due_at: datetime = wire(day_of_service_due())
    service_calendar: int | None = wire(service_calendar_version())
    calendar: int = wire(calendar_version())
    files: Sequence[dict[str, Any]] = wire(told_files(MOST_AT_ONCE * (MOST_GATHERED + 1)))
    by: str = wire(opaque())


@event("complaint.joined.v1", service="triage", consumers=("notification",))
class ComplaintJoined(EventData):
    """Step 3: the main team joined the report with `first`, which is about the same matter. It rests until that is
    decided. `note` says why. Its reporter is told that it was forwarded, with a clock by `calendar`."""

    ticket: str = wire(Ticket())
    first: str = wire(Ticket())
    forwarding: int = wire(forwarding_number())
    note: str = wire(PlainText(NOTE_LENGTH))
    calendar: int = wire(calendar_version())
    by: str = wire(opaque())


@event("complaint.parted.v1", service="triage", consumers=("notification",))
class ComplaintParted(EventData):
    """The report no longer rests with `first`: back to step 3, whose clock starts with the day after the event's
    `time`. The main team parted it, or, where `by` is None, the first report was withdrawn, or closed as not completed,
    on that day."""

    ticket: str = wire(Ticket())
    first: str = wire(Ticket())
    forwarding: int = wire(forwarding_number())
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    calendar: int = wire(calendar_version())
    by: str | None = wire(fields.String(allow_none=True, load_default=None, validate=validate.Length(1, 64)))


@event("complaint.ended.v1", service="triage", consumers=("opd_response",))
class ComplaintEnded(EventData):
    """A complaint that is with the team of `opd` ended outside of the steps; `how` is `withdrawn`. The event's `time`
    is the day of it only, as its first instant in WIB."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(forwarding_number())
    how: str = wire(fields.String(validate=validate.OneOf(["withdrawn"])))
    reason: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))


@event("complaint.kept.v1", service="triage", consumers=("intake", "opd_response", "notification"))
class ComplaintKept(EventData):
    """The main team lets a withdrawn report go on without its reporter: at step 3, or at step 5 with response number
    `round`, if that is not 0. `forwarding` is the new number that its further events have."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(forwarding_number())
    round: int = wire(round_number(0))
    note: str = wire(PlainText(NOTE_LENGTH))
    calendar: int = wire(calendar_version())
    by: str = wire(opaque())


@event("time.granted.v1", service="triage", consumers=("opd_response", "notification"))
class TimeGranted(EventData):
    """The main team decided on a request for more time: step 4 is due `days` working days later, counted from its due
    time by the calendar of its clock; 0 where none is granted. A step that ended before the event's `time` stays as it
    was."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(forwarding_number())
    round: int = wire(round_number())
    days: int = wire(fields.Integer(strict=True, validate=validate.Range(0, MOST_DAYS)))
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    by: str = wire(opaque())


@event("complaint.recalled.v1", service="triage", consumers=("intake", "opd_response", "notification"))
class ComplaintRecalled(EventData):
    """The main team took the complaint back from the team of `opd`: back to step 3. Response number `round`, which was
    awaited, and a declination change nothing any more."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(forwarding_number())
    round: int = wire(round_number())
    note: str = wire(PlainText(NOTE_LENGTH))
    calendar: int = wire(calendar_version())
    by: str = wire(opaque())
