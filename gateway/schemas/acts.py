"""The schemas of the acts of the main team, and of those beside the path."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from gateway.schemas.files import File, upload_ids
from gateway.schemas.parts import RECUSED, Flag, Thorough, one_of
from nkk.contracts.fields import NOTE_LENGTH, PlainText, Range, Slug, Ticket, UserName
from nkk.sop import faults
from nkk.sop.faults import Fault
from nkk.sop.report import TEXT_LENGTH
from nkk.sop.steps import MOST_DAYS, Path


class Reason(Schema):
    """The reason for an act, which those read who have the complaint."""

    reason = PlainText(NOTE_LENGTH, required=True)


class QuestionText(Schema):
    """A question to the reporter."""

    text = PlainText(TEXT_LENGTH, required=True)


class QuestionAnswer(QuestionText):
    """The reporter's answer to a question."""

    files = upload_ids("The ids of uploads to attach, each whole and checked.")


class AskedQuestion(Schema):
    """A question to the reporter."""

    number = fields.Integer(required=True, metadata={"description": "Counted per complaint, from 1."})
    step = fields.Integer(required=True, metadata={"description": "The step at which it was asked."})
    opd = fields.String(required=True, allow_none=True)
    text = fields.String(required=True)
    asked_at = fields.String(required=True)
    state = fields.String(
        required=True,
        metadata={"description": "`open`, `answered`, `lapsed`, or `overtaken` where the case had gone on."},
    )
    lapses_on = fields.String(required=True, metadata={"description": "The last day for an answer."})
    answer = fields.String(required=True, allow_none=True)
    answered_on = fields.String(required=True, allow_none=True)
    files = fields.List(fields.Nested(File), metadata={"description": "The files that came with the answer."})
    by = fields.String(metadata={"description": "The id of the account that asked; for staff only."})
    undelivered = fields.Boolean(
        metadata={
            "description": "True where its letter did not arrive by e-mail, so that the reporter may not know of it; "
            "for staff only, and absent otherwise."
        }
    )


class Questions(Schema):
    """The questions about a complaint, in the order of their numbers."""

    items = fields.List(fields.Nested(AskedQuestion), required=True)


class AnsweredQuestion(Schema):
    """The state of a question that was answered."""

    ticket = fields.String(required=True)
    number = fields.Integer(required=True)
    state = fields.String(required=True)


class Declination(Reason, Thorough):
    """Why a complaint is not this agency's, and the agency that may be in charge."""

    better_opd = Slug(allow_none=True, metadata={"description": "A key from GET /opds."})

    def also_wrong(self, valid: dict[str, Any], lists: Mapping[str, Any]) -> dict[str, Fault]:
        """Return the fault of an OPD that is not on the roster."""
        better = valid.get("better_opd")
        return {"better_opd": faults.NO_SUCH_OPD()} if better and lists["opds"] and better not in lists["opds"] else {}


class TimeRequest(Reason):
    """How many more working days the OPD team asks for, and why."""

    days = fields.Integer(required=True, strict=True, validate=Range(1, MOST_DAYS))


class TimeGrant(Schema):
    """How many more working days the OPD team gets."""

    days = fields.Integer(
        required=True,
        strict=True,
        validate=Range(0, MOST_DAYS),
        metadata={"description": "0 where none are granted: then a note is required."},
    )
    note = PlainText(NOTE_LENGTH, allow_none=True)


def reason_for_conflict() -> PlainText:
    """Return the field of the reason why a complaint goes to what may be the accused's own team."""
    return PlainText(
        NOTE_LENGTH,
        allow_none=True,
        metadata={
            "description": "Why a complaint with a `conflict` goes to its `accused_opd` all the same, which is refused "
            "without. It becomes a note of the main team, and is not told to the OPD."
        },
    )


class Classification(Thorough):
    """Step 3: information, for the operator to answer, or a complaint, for the helper team of `opd`."""

    kind = fields.String(required=True, validate=one_of(*Path))
    opd = Slug(allow_none=True)
    note = PlainText(NOTE_LENGTH, allow_none=True)
    reason = reason_for_conflict()

    def also_wrong(self, valid: dict[str, Any], lists: Mapping[str, Any]) -> dict[str, Fault]:
        """Return the fault of an OPD that does not match the kind."""
        opd = valid.get("opd")
        if valid.get("kind") == Path.INFORMATION and opd is not None:
            return {"opd": faults.OPD_OF_INFORMATION()}
        if valid.get("kind") == Path.COMPLAINT and (opd is None or (lists["opds"] and opd not in lists["opds"])):
            return {"opd": faults.NO_SUCH_OPD()}
        return {}


class Approval(Schema):
    """Step 5: approve the response as an answer to the complaint, or return it to the OPD team with a note."""

    approved = Flag(required=True)
    note = PlainText(NOTE_LENGTH, allow_none=True)


class FurtherOpd(Thorough):
    """The further OPD whose response is gathered beside the one that was given."""

    opd = Slug(required=True, metadata={"description": "A key from GET /opds."})
    note = PlainText(NOTE_LENGTH, allow_none=True)
    reason = reason_for_conflict()

    def also_wrong(self, valid: dict[str, Any], lists: Mapping[str, Any]) -> dict[str, Fault]:
        """Return the fault of an OPD that is not on the roster."""
        opd = valid.get("opd")
        return {"opd": faults.NO_SUCH_OPD()} if opd and lists["opds"] and opd not in lists["opds"] else {}


class Conclusion(Schema):
    """An optional note for the operator, who answers from the responses that were kept."""

    note = PlainText(NOTE_LENGTH, allow_none=True)


class Joining(Reason):
    """The report about the same matter that this one is joined with, and why."""

    first = Ticket(required=True)


class Objection(Schema):
    """Why the reporter objects to the answer."""

    reason = PlainText(TEXT_LENGTH, required=True)


class Rating(Schema):
    """The reporter's rating of the answer."""

    rating = fields.Integer(
        required=True, strict=True, validate=Range(1, 5), metadata={"description": "From 1 (bad) to 5 (good)."}
    )
    comment = PlainText(NOTE_LENGTH, allow_none=True)


class Recusal(Reason):
    """Why somebody steps aside, and for the main team perhaps the colleague who is to."""

    account = UserName(
        64,
        allow_none=True,
        metadata={"description": "A colleague's user name, for the main team only; without it you step aside."},
    )


class Recused(Schema):
    """Who sees the complaint no more."""

    ticket = fields.String(required=True)
    account = fields.String(required=True, metadata={"description": "The id of the account."})


class NoteText(Schema):
    """A note about a complaint, for the own desk and for Tim Utama. No reporter and no tool ever sees it."""

    text = PlainText(NOTE_LENGTH, required=True)


class Note(Schema):
    """A note of staff."""

    at = fields.String(required=True)
    by = fields.String(required=True, metadata={"description": "The id of the account; GET /staff/names has its name."})
    role = fields.String(required=True, metadata={"description": "The role of the desk that wrote it."})
    text = fields.String(required=True)
    recused = fields.String(required=True, allow_none=True, metadata={"description": RECUSED})


class Notes(Schema):
    """The notes about a complaint, oldest first."""

    items = fields.List(fields.Nested(Note), required=True)
