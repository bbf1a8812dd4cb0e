"""Fields and shapes that several events have."""

from collections.abc import Iterable
from typing import Any

from marshmallow import fields, validate

from nkk.contracts.envelope import EventData, shape, wire
from nkk.contracts.fields import Instant, Line, PlainText, Slug, Ticket
from nkk.sop.report import NAME_LENGTH, SUBJECT_LENGTH, TEXT_LENGTH
from nkk.sop.steps import Channel

STAGES = ("intake", "triage", "opd_response", "notification")
DESKS = ("intake", "triage", "opd_response")


def one_of(kinds: Iterable[str]) -> fields.String:
    """Return a field whose value is the text of one of `kinds`."""
    return fields.String(validate=validate.OneOf([str(kind) for kind in kinds]))


def opaque() -> fields.String:
    """Return the field of an id that means nothing outside."""
    return fields.String(validate=validate.Length(1, 64))


def calendar_version() -> fields.Integer:
    """Return the field of the calendar version for the clock that the event starts; 0 in the oldest events."""
    return fields.Integer(strict=True, load_default=0, validate=validate.Range(0, 1_000_000))


def service_calendar_version() -> fields.Integer:
    """Return the field of the calendar version for `service_due_at`, set at submission; None in older events."""
    return fields.Integer(strict=True, allow_none=True, load_default=None, validate=validate.Range(0, 1_000_000))


def channel_kind() -> fields.String:
    """Return the field of how a report was received; the website in older events."""
    return fields.String(load_default=str(Channel.WEB), validate=validate.OneOf([str(kind) for kind in Channel]))


def joined_with() -> fields.String:
    """Return the field of the report that one was joined with; None for one that was not, and in older events."""
    return Ticket(allow_none=True, load_default=None)


def website_account() -> fields.String:
    """Return the field of a website's account; None in reports of people themselves, and in older events."""
    return fields.String(allow_none=True, load_default=None, validate=validate.Length(1, 36))


def day_of_service_due() -> Instant:
    """Return the field of the service's due time in an event that an OPD's tools receive: the last second of its day.

    From the exact time the time of the report's submission could be computed, which an OPD is not to know.
    """
    return Instant()


def step_number() -> fields.Integer:
    """Return the field of the number of a step of the procedure."""
    return fields.Integer(strict=True, validate=validate.Range(1, 7))


def round_number(least: int = 1, **options: Any) -> fields.Integer:
    """Return the field of the number of the OPDs' response that the event is about."""
    return fields.Integer(strict=True, validate=validate.Range(least, 1_000), **options)


def barred_hash() -> fields.String:
    """Return the field of the keyed hash of the NIP of the person whom the report is about.

    None where no NIP was entered, and in older events. Staff accounts with the same hash do not see the case.
    """
    return fields.String(allow_none=True, load_default=None, validate=validate.Length(1, 64))


def forwarding_number() -> fields.Integer:
    """Return the field of the number of the classification that the event belongs to: 1, and one more each time that
    the case came back to step 3; 1 in older events."""
    return round_number(load_default=1)


@shape
class ReportFields(EventData):
    """The fields of the report, in the events from which a team works."""

    category: str = wire(Slug())
    sub_category: str = wire(Slug())
    subject_line: str = wire(Line(SUBJECT_LENGTH))
    text: str = wire(PlainText(TEXT_LENGTH))
    place: str | None = wire(Line(NAME_LENGTH, allow_none=True))
    happened_on: str | None = wire(Line(NAME_LENGTH, allow_none=True))
    accused_name: str | None = wire(Line(NAME_LENGTH, allow_none=True))
    accused_position: str | None = wire(Line(NAME_LENGTH, allow_none=True))
    accused_opd: str | None = wire(Slug(allow_none=True))
