"""The events that notification publishes."""

from marshmallow import fields, validate

from nkk.contracts.envelope import EventData, event, shape, wire
from nkk.contracts.events.parts import calendar_version, forwarding_number, one_of, opaque, round_number
from nkk.contracts.fields import NOTE_LENGTH, PlainText, Slug, Ticket
from nkk.sop.report import TEXT_LENGTH
from nkk.sop.steps import Path


@event("answer.sent.v1", service="notification")
class AnswerSent(EventData):
    """Step 6: the operator sent the answer to the reporter."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(forwarding_number())
    path: str = wire(one_of(Path))
    calendar: int = wire(calendar_version())
    by: str = wire(opaque())


@event("complaint.closed.v1", service="notification", consumers=("intake", "triage", "opd_response"))
class ComplaintClosed(EventData):
    """Step 7: the complaint was closed. `how`: the answer was confirmed, opened (read while logged in), or lapsed.
    `cycle` is 1, or 2 after an objection."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(forwarding_number())
    cycle: int = wire(round_number(load_default=1))
    path: str = wire(one_of(Path))
    how: str = wire(fields.String(validate=validate.OneOf(["confirmed", "opened", "lapsed"])))


@event("answer.returned.v1", service="notification", consumers=("triage",))
class AnswerReturned(EventData):
    """The operator found that what was classified as information is a complaint after all: back to step 3."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(forwarding_number())
    note: str = wire(PlainText(NOTE_LENGTH))
    calendar: int = wire(calendar_version())
    by: str = wire(opaque())


@event("complaint.reopened.v1", service="notification", consumers=("intake", "triage", "opd_response"))
class ComplaintReopened(EventData):
    """The reporter objected to the answer, once: a second cycle begins at step 3. Its clock starts with the day after
    the event's `time`, which is the day of the objection only, as its first instant in WIB."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(forwarding_number())
    cycle: int = wire(round_number())
    reason: str = wire(PlainText(TEXT_LENGTH))
    answer: str = wire(PlainText(TEXT_LENGTH))
    calendar: int = wire(calendar_version())


@event("answer.rated.v1", service="notification")
class AnswerRated(EventData):
    """The reporter rated the answer, from 1 to 5. The event's `time` is the day of it only."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(forwarding_number())
    rating: int = wire(fields.Integer(strict=True, validate=validate.Range(1, 5)))


@shape
class _QuestionEnded(EventData):
    """The fields of the end of a question, whose id is `question` and whose number within the complaint is `number`.

    `opd` names the agency whose team asked, if one did.
    """

    ticket: str = wire(Ticket())
    question: str = wire(fields.String(validate=validate.Length(1, 200)))
    number: int = wire(round_number())
    forwarding: int = wire(forwarding_number())
    opd: str | None = wire(Slug(allow_none=True, load_default=None))


@event("question.answered.v1", service="notification", consumers=("intake", "triage", "opd_response"))
class QuestionAnswered(_QuestionEnded):
    """The reporter answered a question; notification gives the answer to those who may read it. The clock goes on with
    the day after the event's `time`, which is the day of the answer only, as its first instant in WIB."""


@event("question.lapsed.v1", service="notification", consumers=("intake", "triage", "opd_response"))
class QuestionLapsed(_QuestionEnded):
    """A question was not answered in time. The clock goes on."""
