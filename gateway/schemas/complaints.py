"""The schemas of a complaint, its timeline and the acts at each step."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from gateway.schemas.accounts import Possible
from gateway.schemas.files import Addition, File, upload_ids
from gateway.schemas.parts import RECUSED, Claim, Flag, Thorough, one_of
from nkk.contracts.fields import Digits, Length, Regexp
from nkk.contracts.report import ReportForm, ReportView
from nkk.sop import faults
from nkk.sop.faults import Fault
from nkk.sop.steps import Path

BY_DAY = (
    "The main team and the OPD teams get only the day, as its first instant in WIB, such as "
    "`2026-03-02T00:00:00+07:00`."
)
SUBMITTED_AT = {"description": f"The time of submission. {BY_DAY}"}
SERVICE_DUE_AT = {"description": f"The end of the two working days promised for the whole service. {BY_DAY}"}

WAITING_SINCE = {"description": "Since when the desk has waited for the reporter's answer, and the clock rests."}


class IdempotencyKey(Schema):
    """A key that makes retries safe: the same key and body get the same answer."""

    idempotency_key = fields.String(
        data_key="Idempotency-Key",
        validate=Regexp(r"^[\x21-\x7e]{1,200}\Z", faults.NO_IDEMPOTENCY_KEY),
    )


class ComplaintForm(ReportForm, Possible, Thorough):
    """Form Pengaduan. `category`, `sub_category` and `accused_opd` are keys of GET /categories and GET /opds."""

    claimed_kind = fields.String(
        validate=one_of("complaint", "information", "aspiration"),
        metadata={
            "description": "The kind of report in the reporter's own view. Only the main team's classification counts."
        },
    )
    confidential = Flag(
        metadata={"description": "Whether the reporter's identity is hidden from every desk, including the operator."}
    )
    conflict = Flag(
        metadata={
            "description": "Whether the person whom the report is about leads, or sits in, the team that handles "
            "complaints at their agency (`accused_opd`)."
        }
    )
    accused_nip = Digits(
        allow_none=True,
        validate=Length(1, 32),
        metadata={
            "description": "The NIP of the person whom the report is about, 18 digits. It is kept as a keyed hash, "
            "which hides the report from this person's own account at a desk, and is shown to nobody."
        },
    )

    files = upload_ids("The ids of uploads to attach, each whole and checked.")

    def also_wrong(self, valid: dict[str, Any], lists: Mapping[str, Any]) -> dict[str, Fault]:
        """Return the fields that name something the lists lack, with intake's faults."""
        wrong = {}
        category = lists["categories"].get(valid.get("category"))
        if category is None and "category" in valid and lists["categories"]:
            wrong["category"] = faults.NO_SUCH_CATEGORY()
        if category and "sub_category" in valid and valid["sub_category"] not in category["sub_categories"]:
            wrong["sub_category"] = faults.NO_SUCH_SUB_CATEGORY()
        if valid.get("accused_opd") and lists["opds"] and valid["accused_opd"] not in lists["opds"]:
            wrong["accused_opd"] = faults.NO_SUCH_OPD()
        return wrong


AT_DESK = {
    "description": "The state at one desk (`state`), and the time it began (`since`). intake: awaiting_hand_over, "
    "handed_over; triage: awaiting_classification, joined, classified_as_information, awaiting_response, "
    "awaiting_approval, "
    "approved; opd_response: awaiting_response, responded, declined, recalled; "
    "notification: awaiting_answer, answered, closed, returned, objected. "
    "At every desk: withdrawn, abandoned."
}
IN_PROCEDURE = {
    "description": "The state in the procedure (`state`), and the number of the next step (`step`): hand_over 2, "
    "classify 3, respond 4, approve 5, answer 6, receive 7, closed, withdrawn and abandoned null."
}


class Receipt(Schema):
    """The reporter's receipt: the ticket, and when the answer is due."""

    ticket = fields.String(required=True)
    submitted_at = fields.String(required=True)
    service_due_at = fields.String(required=True)
    stands = fields.Dict(required=True, metadata=AT_DESK)
    files = fields.List(fields.Nested(File), metadata={"description": "The files that came with the report."})


class Reporter(Schema):
    """The reporter's identity (Data Pemberi Aduan), which no other response contains."""

    kind = fields.String(required=True)
    identity_number = fields.String(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    phone = fields.String(allow_none=True)
    username = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Null where the complaint was entered for a person, until the person chooses one."},
    )


class Gathered(Schema):
    """The response of another OPD to the same matter, which was kept."""

    opd = fields.String()
    round = fields.Integer()
    text = fields.String()


class Answer(Schema):
    """The answer. The operator also sees its material: the OPD's response or the main team's note."""

    text = fields.String(allow_none=True)
    sent_at = fields.String(allow_none=True)
    closed_at = fields.String(allow_none=True)
    how = fields.String(
        allow_none=True, metadata={"description": "How the complaint was closed: `confirmed`, `opened` or `lapsed`."}
    )
    confirmed_at = fields.String(allow_none=True)
    rating = fields.Integer(allow_none=True)
    rating_comment = fields.String(allow_none=True)
    path = fields.String()
    material = fields.String(allow_none=True)
    gathered = fields.List(
        fields.Nested(Gathered),
        metadata={"description": "The responses of other OPDs to the same matter, which came before `material`."},
    )
    joined_to = fields.String(
        allow_none=True,
        metadata={"description": "The report whose result this one shares. Its reporter is told nothing of that."},
    )
    note = fields.String(allow_none=True)
    came_at = fields.String()
    due_at = fields.String()
    done_at = fields.String(allow_none=True)
    left_minutes = fields.Integer(allow_none=True)
    late = fields.Boolean(allow_none=True)
    waiting_since = fields.String(allow_none=True, metadata=WAITING_SINCE)
    service_due_at = fields.String()
    service_left_minutes = fields.Integer(allow_none=True)
    stands = fields.Dict(metadata=AT_DESK)
    claim = fields.Nested(Claim, allow_none=True)
    files = fields.List(fields.Nested(File), metadata={"description": "The files that were sent with the answer."})
    offered = fields.List(
        fields.Nested(File),
        metadata={"description": "The response's files, of which the operator chooses those for the reporter."},
    )


class EarlierAnswer(Schema):
    """An answer to which the reporter objected, as it was sent."""

    text = fields.String(required=True)
    sent_at = fields.String(required=True)
    how = fields.String(allow_none=True)
    rating = fields.Integer(allow_none=True)
    objection = fields.String(allow_none=True)
    files = fields.List(fields.Nested(File))


class NoteOfDesk(Schema):
    """A note of your own desk."""

    at = fields.String(required=True)
    by = fields.String(required=True)
    text = fields.String(required=True)
    recused = fields.String(required=True, allow_none=True, metadata={"description": RECUSED})


class Undelivered(Schema):
    """A letter to a reporter that will not arrive. Contact them another way.

    Their mail server knows no such address, or five days of retries failed.
    """

    ticket = fields.String(required=True)
    kind = fields.String(
        required=True, metadata={"description": "The kind of letter: `received`, `answered`, `late` or `reminder`."}
    )
    given_up_at = fields.String(required=True)
    to_print = fields.Boolean(
        metadata={"description": "Whether the reporter has no e-mail address, so that you print it for them."}
    )


class Entered(Schema):
    """What an operator sees of a complaint that an operator entered for a person."""

    paper = fields.String(allow_none=True, metadata={"description": "The operator's reference of the letter or slip."})
    access_code_expires_at = fields.String(required=True)
    account_opened = fields.Boolean(required=True)


class Complaint(ReportView):
    """A complaint. Each role sees what its step needs; other fields are left out."""

    ticket = fields.String(required=True)
    stands = fields.Dict(
        required=True,
        metadata={
            "description": "For the reporter and the operator, the state as in the timeline; for the main team and the "
            "OPD team, the state at their desk."
        },
    )
    reporter_kind = fields.String()
    claimed_kind = fields.String()
    confidential = fields.Boolean()
    conflict = fields.Boolean(
        metadata={
            "description": "Whether the accused may sit in the team of `accused_opd`, as the reporter says. The OPD "
            "teams are not told."
        }
    )
    channel = fields.String(
        metadata={
            "description": "How it came: `web`, or entered by an operator: `counter`, `telephone`, `letter` or "
            "`social_media`. The OPD teams are not told."
        }
    )
    entered = fields.Nested(
        Entered, allow_none=True, metadata={"description": "Only for the operator; null where its reporter wrote it."}
    )
    submitted_at = fields.String(metadata=SUBMITTED_AT)
    came_at = fields.String(
        metadata={"description": "When the complaint reached its current or last step at this desk."}
    )
    due_at = fields.String(metadata={"description": "When this step is due."})
    done_at = fields.String(allow_none=True, metadata={"description": "When this step was done; null before."})
    left_minutes = fields.Integer(
        allow_none=True,
        metadata={"description": "Office minutes left for this step: negative when overdue, null when done."},
    )
    late = fields.Boolean(allow_none=True)
    waiting_since = fields.String(allow_none=True, metadata=WAITING_SINCE)
    service_due_at = fields.String(metadata=SERVICE_DUE_AT)
    service_left_minutes = fields.Integer(
        allow_none=True,
        metadata={
            "description": "Office minutes left for the whole service: negative when overdue, null when answered. "
            "For the main team and the OPD teams, counted from the start of today."
        },
    )
    handed_over_at = fields.String(allow_none=True)
    opd = fields.String(allow_none=True)
    round = fields.Integer(metadata={"description": "The number of responses so far, also of OPDs before this one."})
    returned = fields.Boolean(
        metadata={"description": "Whether this OPD's last response was returned; only for its team."}
    )
    note = fields.String(allow_none=True)
    response = fields.String(allow_none=True)
    return_note = fields.String(allow_none=True)
    files = fields.List(fields.Nested(File), metadata={"description": "The report's files."})
    additions = fields.List(fields.Nested(Addition), metadata={"description": "What the reporter added later."})
    response_files = fields.List(fields.Nested(File), metadata={"description": "The files of all responses."})
    claim = fields.Nested(
        Claim,
        allow_none=True,
        metadata={"description": "The claim, for the desk where the complaint is; null where nobody has claimed it."},
    )
    answer = fields.Nested(Answer, allow_none=True)
    earlier = fields.List(
        fields.Nested(EarlierAnswer), metadata={"description": "The answer that the reporter objected to."}
    )
    acts = fields.List(
        fields.String(), metadata={"description": "The acts of your role that are possible now, by their names."}
    )
    forwarding = fields.Integer(
        metadata={"description": "The number of the classification: 1, and one more each time that it came back."}
    )
    cycle = fields.Integer(metadata={"description": "1, or 2 after an objection."})
    kept = fields.Boolean(metadata={"description": "Whether it goes on although its reporter withdrew it."})
    back = fields.String(
        allow_none=True, metadata={"description": "The event with which it came back to step 3 the last time."}
    )
    back_why = fields.String(allow_none=True)
    better_opd = fields.String(
        allow_none=True, metadata={"description": "The OPD that the one which declined believes to be in charge."}
    )
    objected_to = fields.String(allow_none=True, metadata={"description": "The answer that was objected to."})
    ended_why = fields.String(
        allow_none=True, metadata={"description": "Why the reporter withdrew it, or a desk closed it."}
    )
    asked_days = fields.Integer(
        allow_none=True,
        metadata={"description": "The working days that the OPD asks for; for the main team, until that is decided."},
    )
    asked_why = fields.String(allow_none=True)
    granted_days = fields.Integer(
        allow_none=True, metadata={"description": "The working days that were granted, 0 for none."}
    )
    granted_note = fields.String(allow_none=True)
    first_due_at = fields.String(
        allow_none=True, metadata={"description": "When this step was due before it got more time."}
    )
    moved_days = fields.Integer(metadata={"description": "The working days by which this step's due time was moved."})
    declined_why = fields.String(allow_none=True)
    recalled_why = fields.String(allow_none=True)
    gathered = fields.List(
        fields.Nested(Gathered),
        metadata={"description": "For the main team: the responses of other OPDs that were kept beside `response`."},
    )
    joined_to = fields.String(
        allow_none=True,
        metadata={"description": "For the main team: the report about the same matter that this one was joined with."},
    )
    joined = fields.List(
        fields.String(), metadata={"description": "For the main team: the reports that were joined with this one."}
    )
    notes = fields.List(
        fields.Nested(NoteOfDesk), metadata={"description": "The notes of your own desk; no reporter ever sees them."}
    )
    overtaken = fields.Boolean(
        metadata={"description": "Whether your team's last act came after the main team had taken the complaint back."}
    )
    undelivered = fields.List(
        fields.Nested(Undelivered),
        metadata={
            "description": "The letters to the reporter that could not be delivered. Only the operator gets them, "
            "until the complaint is closed."
        },
    )


class TimelineEntry(Schema):
    """A step that was done, or an act beside the path, which may end no step.

    Staff also see who did it, the OPD, and the notes written to them.
    """

    step = fields.Integer(required=True, allow_none=True)
    name = fields.String(required=True)
    activity = fields.String(required=True)
    event = fields.String(required=True)
    role = fields.String(required=True)
    at = fields.String(
        required=True,
        metadata={"description": f"When the step was done. For steps 1 and 7, {BY_DAY[0].lower()}{BY_DAY[1:]}"},
    )
    output = fields.String(
        required=True, allow_none=True, metadata={"description": "The document that this step produces."}
    )
    round = fields.Integer(allow_none=True)
    forwarding = fields.Integer()
    minutes = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The step's standard time, in office minutes."}
    )
    came_at = fields.String(allow_none=True, metadata={"description": "When the step began; null for step 1."})
    due_at = fields.String(allow_none=True, metadata={"description": "When the step was due."})
    used_minutes = fields.Integer(allow_none=True, metadata={"description": "The office minutes that the step took."})
    late = fields.Boolean(allow_none=True)
    first_due_at = fields.String(metadata={"description": "When the step was due before it got more time."})
    moved_days = fields.Integer(metadata={"description": "The working days by which its due time was moved."})
    waited_minutes = fields.Integer(
        metadata={"description": "The office minutes for which the desk waited for the reporter: not among those used."}
    )
    by = fields.String(allow_none=True)
    opd = fields.String(allow_none=True)
    note = fields.String(
        allow_none=True, metadata={"description": "The main team's note, shown to that team and to the desk addressed."}
    )


class TimelineAct(Schema):
    """What happened besides the steps: what the reporter added, or more time that an OPD asked for or got.

    More kinds may come; ignore those unknown. Staff also see who did it, the OPD, and the notes written to them.
    """

    event = fields.String(required=True)
    role = fields.String(required=True)
    activity = fields.String(required=True)
    at = fields.String(required=True, metadata={"description": f"When it happened. {BY_DAY}"})
    step = fields.Integer(
        required=True,
        metadata={"description": "The step that the complaint awaited then; the last one where it was closed."},
    )
    files = fields.Integer(required=True, metadata={"description": "How many files were added; none with words alone."})
    days = fields.Integer(metadata={"description": "The working days that were asked for or granted."})
    by = fields.String(allow_none=True)
    opd = fields.String(allow_none=True)
    note = fields.String(allow_none=True)


class Document(Schema):
    """A document that the caller may open."""

    kind = fields.String(required=True)
    title = fields.String(required=True)
    docx = fields.String(required=True, metadata={"description": "The path of the document as DOCX."})
    pdf = fields.String(required=True, metadata={"description": "The path of the document as PDF."})
    method = fields.String(
        required=True,
        validate=one_of("GET", "POST"),
        metadata={
            "description": "The HTTP method that returns the document: POST where it shows the reporter's identity, "
            "since that is recorded."
        },
    )


class Timeline(Schema):
    """The timeline of a complaint: each step with its time, the current state, and the next step with its due time.

    `next` has came_at, due_at, minutes, used_minutes, left_minutes (office minutes), late, and where it got more time
    first_due_at and moved_days. While its desk waits for the reporter's answer, `waiting_since` says since when; its
    clock rests until the day after. The main team and the OPD
    teams see the clocks of steps 2 and 7 by the day, without minutes, and step 7 on the day after.
    """

    ticket = fields.String(required=True)
    path = fields.String(allow_none=True, validate=one_of(*Path))
    channel = fields.String(
        metadata={"description": "How the complaint came, as in GET /complaints/{ticket}. The OPD teams are not told."}
    )
    submitted_at = fields.String(allow_none=True, metadata=SUBMITTED_AT)
    service_due_at = fields.String(allow_none=True, metadata=SERVICE_DUE_AT)
    service_left_minutes = fields.Integer(allow_none=True)
    stands = fields.Dict(required=True, metadata=IN_PROCEDURE)
    next = fields.Dict(allow_none=True)
    entries = fields.List(fields.Nested(TimelineEntry), required=True)
    beside = fields.List(fields.Nested(TimelineAct))
    overtaken = fields.List(
        fields.Nested(TimelineEntry),
        metadata={"description": "Acts that changed nothing, because another one prevailed."},
    )
    documents = fields.List(fields.Nested(Document), required=True)


class Standing(Schema):
    """The complaint's state at this desk after the act."""

    ticket = fields.String(required=True)
    stands = fields.Dict(required=True, metadata=AT_DESK)
