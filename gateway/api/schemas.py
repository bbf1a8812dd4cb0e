"""The shapes of the API. What a value means is each stage's to judge; here it must be of the right type and size."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate
from webargs.fields import DelimitedList

from nkk.contracts.fields import NAME_LENGTH, NOTE_LENGTH, SUBJECT_LENGTH, TEXT_LENGTH, PlainText, Secret, Slug
from nkk.sop.steps import STAFF_ROLES, Path, ReporterKind, Role


def _one_of(*values: str) -> validate.OneOf:
    return validate.OneOf([str(value) for value in values])


class Flag(fields.Boolean):
    """`true` or `false`, and nothing that merely equals one, such as 1."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Problem(Schema):
    """RFC 9457 problem details."""

    type = fields.String(required=True, metadata={"description": "Stable name of the kind of problem.",
                                                  "example": "urn:nkk:problem:already-handed-over"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "What is wrong and what to do."})
    errors = fields.Dict(keys=fields.String(), values=fields.Raw(), metadata={
        "description": "The fields at fault, each with what to do."})
    stands = fields.Dict(metadata={"description": "Where the complaint stands now; nothing was changed."})
    ticket = fields.String()
    claim = fields.Nested("Claim", metadata={"description": "Who is on it already; nothing was changed."})


class Claim(Schema):
    """Somebody at the desk is on it: a courtesy, which keeps nobody from acting. Lapses 30 minutes after `since`."""

    by = fields.String(required=True, metadata={"description": "A staff id; GET /staff/names gives the name."})
    since = fields.String(required=True)


def _phone() -> validate.Regexp:
    return validate.Regexp(r"^\+?[0-9][0-9 -]{6,18}\Z", error="Digits, with + in front where needed.")


class Registration(Schema):
    """Who registers: a civil servant with a NIP (18 digits) or a member of the public with a NIK (16 digits)."""

    kind = fields.String(required=True, validate=_one_of(*ReporterKind))
    identity_number = fields.String(required=True, validate=validate.Length(1, 32), metadata={
        "description": "NIP or NIK, digits only."})
    name = PlainText(NAME_LENGTH, required=True)
    email = fields.Email(required=True, validate=validate.Length(max=254))
    phone = fields.String(allow_none=True, validate=_phone())
    username = PlainText(64, required=True, metadata={
        "description": "Chosen freely; better not your name. 3 to 64 small letters, digits, dots, hyphens."})
    password = Secret(required=True, metadata={"description": "10 to 128 characters."})


class Contact(Schema):
    """How a reporter is reached."""

    email = fields.Email(required=True, validate=validate.Length(max=254))
    phone = fields.String(allow_none=True, validate=_phone())


class ContactChange(Contact):
    """How you are reached from now on, and your password. Without `phone`, no number is kept."""

    password = Secret(required=True)


class Registered(Schema):
    """A new reporter."""

    reporter_id = fields.String(required=True)


class Credentials(Schema):
    """A log-in."""

    username = Secret(required=True)
    password = Secret(required=True)


class Renewal(Schema):
    """Asks for a fresh access token."""

    refresh_token = Secret(200, required=True)


class ResetRequest(Schema):
    """Whose password was forgotten."""

    username = Secret(required=True)


class ResetAsked(Schema):
    """The same for every user name."""

    detail = fields.String(required=True)
    valid_minutes = fields.Integer(required=True, metadata={"description": "How long a code is good."})


class ResetCompletion(Schema):
    """The code of the letter, and the password to be."""

    token = Secret(200, required=True, metadata={"description": "The code; spaces and line ends do not matter."})
    password = Secret(required=True, metadata={"description": "10 to 128 characters."})


class PasswordChange(Schema):
    """The password as it is and as it is to be."""

    password = Secret(required=True)
    new_password = Secret(required=True, metadata={"description": "10 to 128 characters."})


class AccessToken(Schema):
    """A log-in: send `access_token` as `Authorization: Bearer …`; renew it before `expires_at`."""

    access_token = fields.String(required=True)
    expires_at = fields.String(required=True)
    role = fields.String(required=True, validate=_one_of(*Role))
    opd = fields.String(allow_none=True)


class Session(AccessToken):
    """A new log-in; `refresh_token` renews it until `session_expires_at`."""

    refresh_token = fields.String(required=True)
    session_expires_at = fields.String(required=True)


class SubCategory(Schema):
    """A sub-category."""

    key = fields.String(required=True)
    name = fields.String(required=True)


class Category(SubCategory):
    """A category with its sub-categories."""

    source = fields.String()
    sub_categories = fields.List(fields.Nested(SubCategory), required=True)


class Categories(Schema):
    """The catalogue."""

    items = fields.List(fields.Nested(Category), required=True)


class Opds(Schema):
    """The roster of agencies."""

    items = fields.List(fields.Nested(SubCategory), required=True)


class Stretch(Schema):
    """What happened since a moment. A share or a median over fewer than five answers is not told, nor one that would
    give away that of fewer by taking one from the other."""

    since = fields.String(required=True)
    accepted = fields.Integer(required=True)
    answered = fields.Integer(required=True)
    closed = fields.Integer(required=True)
    in_time_share = fields.Float(required=True, allow_none=True, metadata={
        "description": "Of the answers, those sent within the promised time: 0 to 1; null where they are too few."})
    median_minutes = fields.Integer(required=True, allow_none=True, metadata={
        "description": "Half of the answers took no longer than so many office minutes from the submission on."})


class Figures(Schema):
    """Live figures over the last twelve calendar months, the running one included, and over that one alone (WIB)."""

    as_of = fields.String(required=True)
    promised_minutes = fields.Integer(required=True, metadata={
        "description": "Office minutes promised for the whole service: two working days."})
    last_12_months = fields.Nested(Stretch, required=True)
    this_month = fields.Nested(Stretch, required=True)


class Page(Schema):
    """Which part of a list."""

    cursor = fields.String(validate=validate.Regexp(
        r"^[A-Za-z0-9_-]{1,500}\Z", error="Not a cursor of this list. Start again without one."), metadata={
        "description": "`next` of the page before."})
    limit = fields.Integer(validate=validate.Range(1, 200), metadata={"description": "50 by default."})


class Worklist(Page):
    """Which part of a worklist, and what of it. A cursor may be taken over to another narrowing: it goes on from
    there."""

    category = Slug(metadata={"description": "A key of GET /categories."})
    late = fields.Boolean(truthy={"true"}, falsy={"false"}, metadata={"description": "true: only what is past due."})
    q = PlainText(SUBJECT_LENGTH, least=2, metadata={
        "description": "A ticket, one of its two groups of four, or part of the subject line, in any case. On the "
                       "answers' desk, which has no subject lines, only the first two."})

    @post_load
    def _apart(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        wanted = {name: data[name] for name in ("category", "late", "q") if name in data}
        return {"cursor": data.get("cursor"), "limit": data.get("limit"), "wanted": wanted}


class Listing(Schema):
    """A page of a list: `next` is the cursor of the page that follows, null on the last."""

    items = fields.List(fields.Dict(), required=True)
    next = fields.String(allow_none=True, required=True)


class IdempotencyKey(Schema):
    """Makes sending again safe: the same key and body give the same answer."""

    idempotency_key = fields.String(data_key="Idempotency-Key", validate=validate.Regexp(
        r"^[\x21-\x7e]{1,200}\Z", error="1 to 200 visible ASCII characters, such as a UUID."))


class ComplaintForm(Schema):
    """Form Pengaduan. `category`, `sub_category` and `accused_opd` are keys of GET /categories and GET /opds."""

    claimed_kind = fields.String(validate=_one_of("complaint", "information", "aspiration"), metadata={
        "description": "What the reporter thinks it is; Tim Utama's classification counts."})
    category = Slug(required=True)
    sub_category = Slug(required=True)
    subject_line = PlainText(SUBJECT_LENGTH, required=True)
    text = PlainText(TEXT_LENGTH, required=True)
    place = PlainText(NAME_LENGTH, allow_none=True)
    happened_on = PlainText(NAME_LENGTH, allow_none=True, metadata={"description": "When, in the reporter's words."})
    accused_name = PlainText(NAME_LENGTH, allow_none=True)
    accused_position = PlainText(NAME_LENGTH, allow_none=True)
    accused_opd = Slug(allow_none=True)
    confidential = Flag(metadata={
        "description": "No desk sees who the reporter is, the operator included."})


class Receipt(Schema):
    """What the reporter is given: the ticket, and by when the answer is promised."""

    ticket = fields.String(required=True)
    submitted_at = fields.String(required=True)
    service_due_at = fields.String(required=True)
    stands = fields.Dict(required=True)


class Reporter(Schema):
    """Who reported (Data Pemberi Aduan)."""

    kind = fields.String(required=True)
    identity_number = fields.String(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True)
    phone = fields.String(allow_none=True)
    username = fields.String(required=True)


class Answer(Schema):
    """The answer. The operator also sees what there is to answer with: the OPD's response or Tim Utama's note."""

    text = fields.String(allow_none=True)
    sent_at = fields.String(allow_none=True)
    closed_at = fields.String(allow_none=True)
    how = fields.String(allow_none=True, metadata={"description": "How it was received: confirmed, opened or lapsed."})
    confirmed_at = fields.String(allow_none=True)
    path = fields.String()
    material = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    came_at = fields.String()
    due_at = fields.String()
    done_at = fields.String(allow_none=True)
    left_minutes = fields.Integer(allow_none=True)
    late = fields.Boolean(allow_none=True)
    service_due_at = fields.String()
    service_left_minutes = fields.Integer(allow_none=True)
    stands = fields.Dict()
    claim = fields.Nested(Claim, allow_none=True)


class Complaint(Schema):
    """A complaint. Each role is shown what its step works from; what it may not see is left out."""

    ticket = fields.String(required=True)
    stands = fields.Dict(required=True)
    reporter_kind = fields.String()
    claimed_kind = fields.String()
    category = fields.String()
    sub_category = fields.String()
    subject_line = fields.String()
    text = fields.String()
    place = fields.String(allow_none=True)
    happened_on = fields.String(allow_none=True)
    accused_name = fields.String(allow_none=True)
    accused_position = fields.String(allow_none=True)
    accused_opd = fields.String(allow_none=True)
    confidential = fields.Boolean()
    submitted_at = fields.String()
    came_at = fields.String(metadata={"description": "When it came to the step it stands, or stood last, at here."})
    due_at = fields.String(metadata={"description": "When that step is due."})
    done_at = fields.String(allow_none=True, metadata={"description": "When that step was done."})
    left_minutes = fields.Integer(allow_none=True, metadata={
        "description": "Office minutes left to the step; negative once it is late, null once it is done."})
    late = fields.Boolean(allow_none=True)
    service_due_at = fields.String(metadata={"description": "The two working days promised for the whole."})
    service_left_minutes = fields.Integer(allow_none=True, metadata={
        "description": "The same for the whole service."})
    handed_over_at = fields.String(allow_none=True)
    opd = fields.String(allow_none=True)
    round = fields.Integer(metadata={"description": "How often the OPD has responded."})
    note = fields.String(allow_none=True)
    response = fields.String(allow_none=True)
    return_note = fields.String(allow_none=True)
    claim = fields.Nested(Claim, allow_none=True, metadata={
        "description": "For the desk it stands at: who there is on it; null where nobody is."})
    answer = fields.Nested(Answer, allow_none=True)
    reporter = fields.Nested(Reporter, allow_none=True, metadata={
        "description": "For the operator alone, unless confidential."})


class TimelineEntry(Schema):
    """One step that was done. Staff also see who did it, which OPD, and notes."""

    step = fields.Integer(required=True)
    name = fields.String(required=True)
    activity = fields.String(required=True)
    event = fields.String(required=True)
    role = fields.String(required=True)
    at = fields.String(required=True)
    output = fields.String(required=True, metadata={"description": "The document this step produces."})
    round = fields.Integer(allow_none=True)
    minutes = fields.Integer(required=True, metadata={"description": "The step's standard time, in office minutes."})
    came_at = fields.String(allow_none=True, metadata={"description": "When the step began; null for step 1."})
    due_at = fields.String(allow_none=True, metadata={"description": "When it was promised."})
    used_minutes = fields.Integer(allow_none=True, metadata={"description": "Office minutes it took."})
    late = fields.Boolean(allow_none=True)
    by = fields.String(allow_none=True)
    opd = fields.String(allow_none=True)
    note = fields.String(allow_none=True)


class Document(Schema):
    """A document that this reader may open."""

    kind = fields.String(required=True)
    title = fields.String(required=True)
    docx = fields.String(required=True, metadata={"description": "Its address as DOCX."})
    pdf = fields.String(required=True, metadata={"description": "Its address as PDF."})


class Timeline(Schema):
    """The journey of a complaint: what was done and in what time, where it stands, what comes next and when.

    `next` carries came_at, due_at, minutes, used_minutes, left_minutes (office minutes) and late.
    """

    ticket = fields.String(required=True)
    path = fields.String(allow_none=True, validate=_one_of(*Path))
    submitted_at = fields.String(allow_none=True)
    service_due_at = fields.String(allow_none=True)
    service_left_minutes = fields.Integer(allow_none=True)
    stands = fields.Dict(required=True)
    next = fields.Dict(allow_none=True)
    entries = fields.List(fields.Nested(TimelineEntry), required=True)
    documents = fields.List(fields.Nested(Document), required=True)


class Standing(Schema):
    """Where the complaint stands at this desk after the act."""

    ticket = fields.String(required=True)
    stands = fields.Dict(required=True)


class Claiming(Schema):
    """Says to be on a complaint."""

    take_over = Flag(metadata={"description": "true: also where a colleague is."})


class Claimed(Schema):
    """Who is on a complaint after the act."""

    ticket = fields.String(required=True)
    claim = fields.Nested(Claim, allow_none=True, required=True)


class Classification(Schema):
    """Step 3: information, to be answered by the operator; or a complaint, for the helper team of `opd`."""

    kind = fields.String(required=True, validate=_one_of(*Path))
    opd = Slug(allow_none=True)
    note = PlainText(NOTE_LENGTH, allow_none=True)


class Text(Schema):
    """The response of step 4, or the answer of step 6."""

    text = PlainText(TEXT_LENGTH, required=True)


class Approval(Schema):
    """Step 5: the response answers the complaint; or it goes back to the OPD team with a note."""

    approved = Flag(required=True)
    note = PlainText(NOTE_LENGTH, allow_none=True)


class NewStaff(Schema):
    """A staff account to add."""

    username = PlainText(64, required=True)
    name = PlainText(NAME_LENGTH, required=True)
    role = fields.String(required=True, validate=_one_of(*STAFF_ROLES))
    opd = Slug(allow_none=True)
    password = Secret(required=True)


class NewPassword(Schema):
    """A new password for a staff account."""

    password = Secret(required=True)


class Staff(Schema):
    """A staff account."""

    username = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True)
    opd = fields.String(allow_none=True)
    disabled_at = fields.String(allow_none=True)
    locked_until = fields.String(allow_none=True)


class StaffIds(Schema):
    """Whose names are asked for."""

    ids = DelimitedList(fields.String(validate=validate.Regexp(r"^[A-Za-z0-9-]{1,36}\Z")), required=True,
                        validate=validate.Length(1, 200), metadata={"description": "Staff ids, comma separated."})


class StaffNames(Schema):
    """Names of staff by id; an id that is nobody's is left out."""

    names = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class StaffListing(Schema):
    """A page of the staff."""

    items = fields.List(fields.Nested(Staff), required=True)
    next = fields.String(allow_none=True, required=True)


class CatalogueCategory(Schema):
    """A category; its sub-categories by key."""

    name = PlainText(NAME_LENGTH, required=True)
    source = fields.String(validate=validate.Length(max=NAME_LENGTH))
    sub_categories = fields.Dict(keys=Slug(), values=PlainText(NAME_LENGTH), required=True)


class Catalogue(Schema):
    """Categories and agencies by key; what is given is replaced whole."""

    categories = fields.Dict(keys=Slug(), values=fields.Nested(CatalogueCategory))
    opds = fields.Dict(keys=Slug(), values=PlainText(NAME_LENGTH))


class OwnDay(Schema):
    """A date unlike its weekday: closed where it has no spans, else open in them."""

    name = PlainText(NAME_LENGTH, required=True)
    spans = fields.List(fields.List(fields.String()), load_default=list, metadata={
        "description": 'Open spans such as [["08:00", "12:00"]]; none for a closed day.'})


class NewCalendar(Schema):
    """A calendar in the place of `version`, which must be the newest."""

    version = fields.Integer(strict=True, required=True)
    changed_at = fields.Raw(metadata={"description": "Ignored: what GET gives can be sent back."})
    changed_by = fields.Raw(metadata={"description": "Ignored."})
    calendar = fields.Dict(required=True, metadata={
        "description": "week: the open spans of Monday to Sunday; seasons: dates with a week of their own (name, "
                       "first, last, week); days: dates unlike their weekday (name, spans); national_years."})


class CalendarListed(Schema):
    """A version of the calendar in the list of versions."""

    version = fields.Integer(required=True)
    changed_at = fields.String(required=True)
    changed_by = fields.String(required=True, metadata={"description": "Who made it; `nkk` where it made itself."})


class CalendarVersion(CalendarListed):
    """A version of the calendar. Clocks that started under it are counted by it for ever."""

    calendar = fields.Dict(required=True)


class CalendarVersions(Schema):
    """A page of the calendar's versions, newest first."""

    items = fields.List(fields.Nested(CalendarListed), required=True)
    next = fields.String(allow_none=True, required=True)


class Year(Schema):
    """Which year."""

    year = fields.Integer(required=True, validate=validate.Range(2000, 2100))


class NationalDays(Schema):
    """The national holidays and joint leave of a year."""

    days = fields.Dict(required=True)


class TeamAddress(Schema):
    """Where a team is reached, and its superior, who is told of what is late."""

    email = fields.Email(required=True, validate=validate.Length(max=254))
    superior_email = fields.Email(allow_none=True, validate=validate.Length(max=254))


class Teams(Schema):
    """The addresses of the teams: `opd_team` by OPD. A team left out is sent nothing."""

    operator = fields.Nested(TeamAddress)
    main_team = fields.Nested(TeamAddress)
    opd_team = fields.Dict(keys=Slug(), values=fields.Nested(TeamAddress))


class Recapitulation(Schema):
    """Which month's recapitulation, and how it is written."""

    month = fields.String(required=True, validate=validate.Regexp(
        r"^20[0-9]{2}-(0[1-9]|1[0-2])\Z", error="Write the month as 2026-03."))
    format = fields.String(load_default="xlsx", validate=_one_of("xlsx", "pdf", "json"))


class Durations(Schema):
    """How long something took that ended in the month, in office minutes; null where nothing did."""

    median_minutes = fields.Integer(required=True, allow_none=True)
    p90_minutes = fields.Integer(required=True, allow_none=True)
    on_time_share = fields.Float(required=True, allow_none=True, metadata={"description": "0 to 1."})


class Times(Durations):
    """The same, and how much ended."""

    count = fields.Integer(required=True)


class StepTimes(Times):
    """The same for one step."""

    number = fields.Integer(required=True)
    activity = fields.String(required=True)
    role = fields.String(required=True)
    standard_minutes = fields.Integer(required=True)


class OpdTimes(Durations):
    """Step 4 of one OPD: complaints forwarded to it in the month, those still open and late there, its responses."""

    name = fields.String(required=True)
    forwarded = fields.Integer(required=True)
    open = fields.Integer(required=True, metadata={"description": "At step 4 at the month's end, or now."})
    late = fields.Integer(required=True, metadata={"description": "Of those: past the step's or the service's end."})
    responses = fields.Integer(required=True, metadata={"description": "Sent in the month, each round by itself."})


class ServiceTimes(Times):
    """The same for the whole service."""

    standard_minutes = fields.Integer(required=True)


class Counted(Schema):
    """How many of the accepted are of a kind."""

    name = fields.String(required=True)
    sub_category = fields.String()
    count = fields.Integer(required=True)


class OpenCase(Schema):
    """A complaint without an answer at the month's end, or now."""

    ticket = fields.String(required=True)
    path = fields.String(required=True)
    step = fields.Integer(required=True)
    activity = fields.String(required=True)
    opd = fields.String(required=True, allow_none=True)
    came_at = fields.String(required=True)
    due_at = fields.String(required=True)
    service_due_at = fields.String(required=True)
    late = fields.Boolean(required=True)


class Month(Schema):
    """A month's recapitulation: counts, times against the standard, what is open (1,000 at most are listed)."""

    month = fields.String(required=True)
    accepted = fields.Integer(required=True)
    answered = fields.Integer(required=True)
    closed = fields.Integer(required=True)
    open = fields.Integer(required=True)
    late = fields.Integer(required=True)
    by_path = fields.List(fields.Nested(Counted), required=True)
    by_category = fields.List(fields.Nested(Counted), required=True)
    by_opd = fields.List(fields.Nested(OpdTimes), required=True)
    steps = fields.List(fields.Nested(StepTimes), required=True)
    service = fields.Nested(ServiceTimes, required=True)
    open_cases = fields.List(fields.Nested(OpenCase), required=True)
