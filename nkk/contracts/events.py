"""All events of the procedure: the table of contents of what the stages publish.

Names are in the past tense and never change. An event carries only what its consumers need: no event carries a
reporter's name, NIK, NIP, e-mail or phone unencrypted, and only the events from which a team works carry a report's
text.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from marshmallow import fields, validate

from nkk.contracts.additions import told_additions
from nkk.contracts.envelope import EventData, event, shape, wire
from nkk.contracts.fields import NOTE_LENGTH, Calendar, Happened, Instant, Line, PlainText, Slug, Ticket
from nkk.contracts.files import told_files
from nkk.contracts.gathered import told_gathered
from nkk.sop.files import MOST_AT_ONCE, MOST_OF_A_REPORT
from nkk.sop.gathered import MOST_GATHERED
from nkk.sop.report import NAME_LENGTH, SUBJECT_LENGTH, TEXT_LENGTH
from nkk.sop.steps import MOST_DAYS, PERSONS, STEPS, Channel, Path, ReporterKind


def _one_of(kinds: Iterable[str]) -> fields.String:
    return fields.String(validate=validate.OneOf([str(kind) for kind in kinds]))


def _opaque() -> fields.String:
    return fields.String(validate=validate.Length(1, 64))


def _calendar() -> fields.Integer:
    """Return the field of the calendar version for the clock that the event starts; 0 in the oldest events."""
    return fields.Integer(strict=True, load_default=0, validate=validate.Range(0, 1_000_000))


def _service_calendar() -> fields.Integer:
    """Return the field of the calendar version for `service_due_at`, set at submission; None in older events."""
    return fields.Integer(strict=True, allow_none=True, load_default=None, validate=validate.Range(0, 1_000_000))


def _channel() -> fields.String:
    return fields.String(load_default=str(Channel.WEB), validate=validate.OneOf([str(kind) for kind in Channel]))


def _joined_to() -> fields.String:
    """Return the field of the report that one was joined with; None for one that was not, and in older events."""
    return Ticket(allow_none=True, load_default=None)


def _website() -> fields.String:
    """Return the field of a website's account; None in reports of people themselves, and in older events."""
    return fields.String(allow_none=True, load_default=None, validate=validate.Length(1, 36))


def _service_due_day() -> Instant:
    """Return the field of the service's due time in an event that an OPD's tools receive: the last second of its day.

    From the exact time the time of the report's submission could be computed, which an OPD is not to know.
    """
    return Instant()


def _step() -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(1, 7))


def _round(least: int = 1, **options: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(least, 1_000), **options)


def _barred() -> fields.String:
    """Return the field of the keyed hash of the NIP of the person whom the report is about.

    None where no NIP was entered, and in older events. Staff accounts with the same hash do not see the case.
    """
    return fields.String(allow_none=True, load_default=None, validate=validate.Length(1, 64))


def _forwarding() -> fields.Integer:
    """Return the field of the number of the classification that the event belongs to: 1, and one more each time that
    the case came back to step 3; 1 in older events."""
    return _round(load_default=1)


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
    """A password reset was requested for a reporter's account. Only notification can open `sealed_letter`, which holds
    the code and the address; an expired code is not sent."""

    reporter_id: str = wire(_opaque())
    sealed_letter: str = wire(fields.String(validate=validate.Length(1, 4_000)))
    expires_at: datetime = wire(Instant())


@event("complaint.submitted.v1", service="intake", consumers=("notification",))
class ComplaintSubmittedV1(EventData):
    """Step 1: a report was submitted, in the form before `complaint.submitted.v2`. This type is still consumed but no
    longer published, because its `reporter_id` reveals which reports have the same author."""

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
    """Step 1: a report was submitted. `service_due_at` is the end of the two working days promised for the whole
    service. Only notification can open `sealed_reporter`, the reporter's id, sealed differently each time; `channel` is
    how the report was received, and `website` the account of the website that sent it in for a person, or None."""

    ticket: str = wire(Ticket())
    sealed_reporter: str = wire(fields.String(validate=validate.Length(1, 4_000)))
    reporter_kind: str = wire(_one_of(ReporterKind))
    channel: str = wire(_channel())
    website: str | None = wire(_website())
    category: str = wire(Slug())
    sub_category: str = wire(Slug())
    confidential: bool = wire(fields.Boolean())
    submitted_at: datetime = wire(Happened())
    service_due_at: datetime = wire(Instant())
    calendar: int = wire(_calendar())
    barred: str | None = wire(_barred())


@shape
class _Report(EventData):
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


@event("complaint.handed_over.v1", service="intake", consumers=("triage", "notification"))
class ComplaintHandedOver(_Report):
    """Step 2: the operator received the report and handed it to the main team (Tim Utama), which works from it.

    `conflict`: the reporter says that the person whom the report is about leads, or sits in, the team that handles
    complaints at their agency.
    """

    ticket: str = wire(Ticket())
    reporter_kind: str = wire(_one_of(ReporterKind))
    claimed_kind: str = wire(fields.String(validate=validate.Length(1, 20)))
    confidential: bool = wire(fields.Boolean())
    submitted_at: datetime = wire(Happened())
    service_due_at: datetime = wire(Instant())
    service_calendar: int | None = wire(_service_calendar())
    calendar: int = wire(_calendar())
    files: Sequence[dict[str, Any]] = wire(told_files())
    additions: Sequence[dict[str, Any]] = wire(told_additions())
    conflict: bool = wire(fields.Boolean(load_default=False))
    barred: str | None = wire(_barred())
    by: str = wire(_opaque())


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


@event("complaint.supplemented.v1", service="triage", consumers=("opd_response",))
class ComplaintSupplemented(EventData):
    """What the reporter added to their report, passed on to the team of the OPD that the complaint is with. The event's
    `time` is the day of it only, as its first instant in WIB."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(_forwarding())
    files: Sequence[dict[str, Any]] = wire(told_files())
    additions: Sequence[dict[str, Any]] = wire(told_additions())


@event("complaint.classified_as_information.v1", service="triage", consumers=("notification",))
class ComplaintClassifiedAsInformation(EventData):
    """Step 3, "ya": the report was classified as information; the operator answers it, using the main team's `note`.
    Where it was joined with another, `joined_to`, it was classified together with that."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(_forwarding())
    joined_to: str | None = wire(_joined_to())
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    service_due_at: datetime = wire(Instant())
    service_calendar: int | None = wire(_service_calendar())
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("complaint.forwarded.v1", service="triage", consumers=("opd_response", "notification"))
class ComplaintForwarded(_Report):
    """Step 3, "tidak": the report was classified as a complaint and forwarded to the team of `opd`. `round` is the
    number of responses that were received before; `kept` that its reporter withdrew it, and it goes on without them."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(_forwarding())
    round: int = wire(_round(0, load_default=0))
    kept: bool = wire(fields.Boolean(load_default=False))
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    service_due_at: datetime = wire(_service_due_day())
    service_calendar: int | None = wire(_service_calendar())
    calendar: int = wire(_calendar())
    files: Sequence[dict[str, Any]] = wire(told_files())
    additions: Sequence[dict[str, Any]] = wire(told_additions())
    barred: str | None = wire(_barred())
    by: str = wire(_opaque())


@event("response.submitted.v1", service="opd_response", consumers=("triage", "notification"))
class ResponseSubmitted(EventData):
    """Step 4: the OPD team submitted its response. `round` counts its responses to this complaint, from 1."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(_forwarding())
    round: int = wire(_round())
    text: str = wire(PlainText(TEXT_LENGTH))
    calendar: int = wire(_calendar())
    files: Sequence[dict[str, Any]] = wire(told_files())
    by: str = wire(_opaque())


@event("response.returned.v1", service="triage", consumers=("opd_response", "notification"))
class ResponseReturned(EventData):
    """Step 5: the main team returned response number `round`; `note` says what it lacks."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(_forwarding())
    round: int = wire(_round())
    note: str = wire(PlainText(NOTE_LENGTH))
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("response.approved.v1", service="triage", consumers=("notification",))
class ResponseApproved(EventData):
    """Step 5: the main team approved the response and handed it to the operator, who sends the answer."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(_forwarding())
    round: int = wire(_round())
    text: str = wire(PlainText(TEXT_LENGTH))
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    service_due_at: datetime = wire(_service_due_day())
    service_calendar: int | None = wire(_service_calendar())
    calendar: int = wire(_calendar())
    files: Sequence[dict[str, Any]] = wire(told_files())
    by: str = wire(_opaque())


@event("response.gathered.v1", service="triage", consumers=("notification",))
class ResponseGathered(EventData):
    """Step 5: the main team kept response number `round`, of the team of `from_opd`, and forwarded the complaint to a
    further OPD, whose response comes beside it. `complaint.forwarded.v1` with the next number says to which."""

    ticket: str = wire(Ticket())
    from_opd: str = wire(Slug())
    forwarding: int = wire(_forwarding())
    round: int = wire(_round())
    text: str = wire(PlainText(TEXT_LENGTH))
    files: Sequence[dict[str, Any]] = wire(told_files())
    by: str = wire(_opaque())


@event("response.concluded.v1", service="triage", consumers=("notification",))
class ResponseConcluded(EventData):
    """Step 3: the main team handed the responses that were kept (`response.gathered.v1`) to the operator, because there
    is none of the further OPD: it declined, or the complaint was taken back from it. `files` are those of all."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(_forwarding())
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    service_due_at: datetime = wire(_service_due_day())
    service_calendar: int | None = wire(_service_calendar())
    calendar: int = wire(_calendar())
    files: Sequence[dict[str, Any]] = wire(told_files(MOST_AT_ONCE * MOST_GATHERED))
    by: str = wire(_opaque())


@event("response.shared.v1", service="triage", consumers=("notification",))
class ResponseShared(EventData):
    """Step 5: the main team approved the response to the report that this one was joined with, `joined_to`, and handed
    it to the operator for this one, too. `gathered` are responses of other OPDs beside it. No OPD's tool receives this:
    the OPD has not got this report."""

    ticket: str = wire(Ticket())
    joined_to: str = wire(Ticket())
    forwarding: int = wire(_forwarding())
    text: str = wire(PlainText(TEXT_LENGTH))
    gathered: Sequence[dict[str, Any]] = wire(told_gathered())
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    service_due_at: datetime = wire(_service_due_day())
    service_calendar: int | None = wire(_service_calendar())
    calendar: int = wire(_calendar())
    files: Sequence[dict[str, Any]] = wire(told_files(MOST_AT_ONCE * (MOST_GATHERED + 1)))
    by: str = wire(_opaque())


@event("complaint.joined.v1", service="triage", consumers=("notification",))
class ComplaintJoined(EventData):
    """Step 3: the main team joined the report with `first`, which is about the same matter. It rests until that is
    decided. `note` says why. Reporters are told nothing of it."""

    ticket: str = wire(Ticket())
    first: str = wire(Ticket())
    forwarding: int = wire(_forwarding())
    note: str = wire(PlainText(NOTE_LENGTH))
    by: str = wire(_opaque())


@event("complaint.parted.v1", service="triage", consumers=("notification",))
class ComplaintParted(EventData):
    """The report no longer rests with `first`: back to step 3, whose clock starts with the day after the event's
    `time`. The main team parted it, or, where `by` is None, the first report was withdrawn on that day."""

    ticket: str = wire(Ticket())
    first: str = wire(Ticket())
    forwarding: int = wire(_forwarding())
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    calendar: int = wire(_calendar())
    by: str | None = wire(fields.String(allow_none=True, load_default=None, validate=validate.Length(1, 64)))


@event("answer.sent.v1", service="notification")
class AnswerSent(EventData):
    """Step 6: the operator sent the answer to the reporter."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(_forwarding())
    path: str = wire(_one_of(Path))
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("complaint.closed.v1", service="notification", consumers=("intake", "triage", "opd_response"))
class ComplaintClosed(EventData):
    """Step 7: the complaint was closed. `how`: the answer was confirmed, opened (read while logged in), or lapsed.
    `cycle` is 1, or 2 after an objection."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(_forwarding())
    cycle: int = wire(_round(load_default=1))
    path: str = wire(_one_of(Path))
    how: str = wire(fields.String(validate=validate.OneOf(["confirmed", "opened", "lapsed"])))


@event("complaint.withdrawn.v1", service="intake", consumers=("triage", "notification"))
class ComplaintWithdrawn(EventData):
    """The reporter withdrew their report, which ends it outside of steps 6 and 7, unless the answer of this `cycle` was
    sent before. `cycle` is 1, or 2 after an objection. `handed_over` says whether step 2 was done. The event's `time`
    is the day of it only, as its first instant in WIB."""

    ticket: str = wire(Ticket())
    cycle: int = wire(_round())
    handed_over: bool = wire(fields.Boolean())
    reason: str = wire(PlainText(NOTE_LENGTH))


@event("complaint.ended.v1", service="triage", consumers=("opd_response",))
class ComplaintEnded(EventData):
    """A complaint that is with the team of `opd` ended outside of the steps; `how` is `withdrawn`. The event's `time`
    is the day of it only, as its first instant in WIB."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(_forwarding())
    how: str = wire(fields.String(validate=validate.OneOf(["withdrawn"])))
    reason: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))


@event("complaint.kept.v1", service="triage", consumers=("intake", "opd_response", "notification"))
class ComplaintKept(EventData):
    """The main team lets a withdrawn report go on without its reporter: at step 3, or at step 5 with response number
    `round`, if that is not 0. `forwarding` is the new number that its further events have."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(_forwarding())
    round: int = wire(_round(0))
    note: str = wire(PlainText(NOTE_LENGTH))
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("complaint.declined.v1", service="opd_response", consumers=("triage", "notification"))
class ComplaintDeclined(EventData):
    """The OPD team declined the complaint, which is not its own: back to step 3. `note` says why, `better` names the
    OPD that it believes to be in charge, if it knows one; `round` is the number of the response that was awaited."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(_forwarding())
    round: int = wire(_round())
    note: str = wire(PlainText(NOTE_LENGTH))
    better: str | None = wire(Slug(allow_none=True))
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("time.requested.v1", service="opd_response", consumers=("triage", "notification"))
class TimeRequested(EventData):
    """The OPD team asked for `days` more working days for step 4, once for each forwarding. `round` is the number of
    the response that is awaited."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(_forwarding())
    round: int = wire(_round())
    days: int = wire(fields.Integer(strict=True, validate=validate.Range(1, MOST_DAYS)))
    reason: str = wire(PlainText(NOTE_LENGTH))
    by: str = wire(_opaque())


@event("time.granted.v1", service="triage", consumers=("opd_response", "notification"))
class TimeGranted(EventData):
    """The main team decided on a request for more time: step 4 is due `days` working days later, counted from its due
    time by the calendar of its clock; 0 where none is granted. A step that ended before the event's `time` stays as it
    was."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(_forwarding())
    round: int = wire(_round())
    days: int = wire(fields.Integer(strict=True, validate=validate.Range(0, MOST_DAYS)))
    note: str | None = wire(PlainText(NOTE_LENGTH, allow_none=True))
    by: str = wire(_opaque())


@event("complaint.recalled.v1", service="triage", consumers=("opd_response", "notification"))
class ComplaintRecalled(EventData):
    """The main team took the complaint back from the team of `opd`: back to step 3. Response number `round`, which was
    awaited, and a declination change nothing any more."""

    ticket: str = wire(Ticket())
    opd: str = wire(Slug())
    forwarding: int = wire(_forwarding())
    round: int = wire(_round())
    note: str = wire(PlainText(NOTE_LENGTH))
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("answer.returned.v1", service="notification", consumers=("triage",))
class AnswerReturned(EventData):
    """The operator found that what was classified as information is a complaint after all: back to step 3."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(_forwarding())
    note: str = wire(PlainText(NOTE_LENGTH))
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())


@event("complaint.reopened.v1", service="notification", consumers=("intake", "triage", "opd_response"))
class ComplaintReopened(EventData):
    """The reporter objected to the answer, once: a second cycle begins at step 3. Its clock starts with the day after
    the event's `time`, which is the day of the objection only, as its first instant in WIB."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(_forwarding())
    cycle: int = wire(_round())
    reason: str = wire(PlainText(TEXT_LENGTH))
    answer: str = wire(PlainText(TEXT_LENGTH))
    calendar: int = wire(_calendar())


@event("answer.rated.v1", service="notification")
class AnswerRated(EventData):
    """The reporter rated the answer, from 1 to 5. The event's `time` is the day of it only."""

    ticket: str = wire(Ticket())
    forwarding: int = wire(_forwarding())
    rating: int = wire(fields.Integer(strict=True, validate=validate.Range(1, 5)))


@event("question.asked.v1", service=("intake", "triage", "opd_response"), consumers=("notification",))
class QuestionAsked(EventData):
    """The desk at whose `step` the case stands asked the reporter, and the step's clock rests. The envelope's `id` is
    the question's; `calendar` is the version in force, by which the day is found on which the question lapses."""

    ticket: str = wire(Ticket())
    step: int = wire(fields.Integer(strict=True, validate=validate.Range(2, 5)))
    forwarding: int = wire(_forwarding())
    round: int = wire(_round(0))
    opd: str | None = wire(Slug(allow_none=True))
    text: str = wire(PlainText(TEXT_LENGTH))
    calendar: int = wire(_calendar())
    by: str = wire(_opaque())

    @classmethod
    def tellers(cls, data: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the service that owns the step."""
        return tuple(step.owner for step in STEPS if step.number == data.get("step"))


@shape
class _QuestionEnded(EventData):
    """The fields of the end of a question, whose id is `question` and whose number within the complaint is `number`.

    `opd` names the agency whose team asked, if one did.
    """

    ticket: str = wire(Ticket())
    question: str = wire(fields.String(validate=validate.Length(1, 200)))
    number: int = wire(_round())
    forwarding: int = wire(_forwarding())
    opd: str | None = wire(Slug(allow_none=True, load_default=None))


@event("question.answered.v1", service="notification", consumers=("intake", "triage", "opd_response"))
class QuestionAnswered(_QuestionEnded):
    """The reporter answered a question; notification gives the answer to those who may read it. The clock goes on with
    the day after the event's `time`, which is the day of the answer only, as its first instant in WIB."""


@event("question.lapsed.v1", service="notification", consumers=("intake", "triage", "opd_response"))
class QuestionLapsed(_QuestionEnded):
    """A question was not answered in time. The clock goes on."""


STAGES = ("intake", "triage", "opd_response", "notification")


DESKS = ("intake", "triage", "opd_response")


@event("case.recused.v1", service=DESKS, consumers=STAGES, private=True)
class CaseRecused(EventData):
    """A member of staff stepped aside from a case, or the main team had a colleague do so: `account` sees it no more,
    at any desk. `desk` is the stage of the desk of `by`, where the reason stays. Where the main team joins reports, who
    may not see one of them sees none: `account` may then be the `barred` of another report."""

    ticket: str = wire(Ticket())
    desk: str = wire(_one_of(DESKS))
    account: str = wire(_opaque())
    by: str = wire(_opaque())

    @classmethod
    def tellers(cls, data: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the stage of the desk."""
        return tuple(desk for desk in DESKS if desk == data.get("desk"))


@event("calendar.changed.v1", service="intake", consumers=("triage", "opd_response", "notification"), subject="name")
class CalendarChanged(EventData):
    """The calendar has a new version, by which clocks count that start from now on. Running clocks do not change."""

    name: str = wire(fields.String(validate=validate.OneOf(["office-hours"])))
    version: int = wire(fields.Integer(strict=True, validate=validate.Range(1, 1_000_000)))
    content: dict[str, Any] = wire(Calendar())
    by: str = wire(_opaque())


@event("lists.changed.v1", service="intake", consumers=("triage",), subject="name")
class ListsChanged(EventData):
    """An admin changed the roster: complaints may be forwarded only to the agencies `opds`. The highest `version`
    received is in force, in whatever order the events arrive."""

    name: str = wire(fields.String(validate=validate.OneOf(["lists"])))
    version: int = wire(fields.Integer(strict=True, validate=validate.Range(1, 2**53)))
    opds: list[str] = wire(fields.List(Slug(), validate=validate.Length(1, 500)))


@shape
class _Alarm(EventData):
    """The fields of an alarm: the step and the times of its clock; `role` and `opd` name the team."""

    ticket: str = wire(Ticket())
    step: int = wire(_step())
    forwarding: int = wire(_forwarding())
    role: str = wire(_one_of(PERSONS))
    opd: str | None = wire(Slug(allow_none=True))
    round: int = wire(_round(0))
    came_at: datetime = wire(Happened())
    due_at: datetime = wire(Instant())
    calendar: int = wire(_calendar())

    @classmethod
    def tellers(cls, data: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the service that owns the step."""
        return tuple(step.owner for step in STEPS if step.number == data.get("step"))


@event("step.due_soon.v1", service=STAGES, consumers=("notification",))
class StepDueSoon(_Alarm):
    """A step is not done although most of its standard time has passed."""


@event("step.overdue.v1", service=STAGES, consumers=("notification",))
class StepOverdue(_Alarm):
    """A step was not done by its due time. The event is published once for each due time of a step's clock: again only
    where the step got more time and is late once more."""


EVENTS: tuple[type[EventData], ...] = (
    ReporterRegistered,
    PasswordResetRequested,
    ComplaintSubmittedV1,
    ComplaintSubmitted,
    ComplaintHandedOver,
    ReportSupplemented,
    ReportAddedTo,
    ComplaintSupplemented,
    ComplaintClassifiedAsInformation,
    ComplaintForwarded,
    ResponseSubmitted,
    ResponseReturned,
    ResponseApproved,
    ResponseGathered,
    ResponseConcluded,
    ResponseShared,
    ComplaintJoined,
    ComplaintParted,
    AnswerSent,
    ComplaintClosed,
    ComplaintWithdrawn,
    ComplaintEnded,
    ComplaintKept,
    ComplaintDeclined,
    ComplaintRecalled,
    TimeRequested,
    TimeGranted,
    AnswerReturned,
    ComplaintReopened,
    AnswerRated,
    QuestionAsked,
    QuestionAnswered,
    QuestionLapsed,
    CaseRecused,
    StepDueSoon,
    StepOverdue,
    CalendarChanged,
    ListsChanged,
)
