"""Schemas of notification's RPC arguments and results."""

from typing import Any

from marshmallow import Schema, ValidationError, fields

from nkk.contracts.fields import NOTE_LENGTH, Instant, Length, Mailbox, PlainText, Range, Regexp, Slug
from nkk.contracts.files import FileView, attaching
from nkk.sop import faults
from nkk.sop.clock import month_bounds, write_instant
from nkk.sop.files import MOST_AT_ONCE as MOST_FILES
from nkk.sop.report import TEXT_LENGTH
from nkk.sop.steps import Role
from services.notification.domain import team_of
from services.notification.storage import MOST_AT_ONCE, TO_PRINT


class AnswerText(Schema):
    """The answer as the operator enters it."""

    text = PlainText(TEXT_LENGTH, required=True)
    files = fields.List(fields.String(validate=Length(1, 9)), load_default=list, validate=Length(most=MOST_FILES))


class QuestionAnswer(Schema):
    """The reporter's answer to a question."""

    text = PlainText(TEXT_LENGTH, required=True)
    files = attaching()


class Reason(Schema):
    """The reason for an act beside the path, which Tim Utama reads."""

    note = PlainText(NOTE_LENGTH, required=True)


class Objection(Schema):
    """Why a reporter objects to the answer."""

    reason = PlainText(TEXT_LENGTH, required=True)


class Rating(Schema):
    """A reporter's rating of the answer, from 1 to 5, and what they say about it."""

    rating = fields.Integer(required=True, strict=True, validate=Range(1, 5))
    comment = PlainText(NOTE_LENGTH, allow_none=True, load_default=None)


class Listed(Schema):
    """A row of the worklist of the operator's second desk."""

    ticket = fields.String()
    path = fields.String()
    came_at = Instant()
    due_at = Instant()
    done_at = Instant(allow_none=True)
    service_due_at = Instant()
    joined_to = fields.String(allow_none=True)
    stands = fields.Function(lambda answer: answer.stands())


class EarlierAnswer(Schema):
    """An answer to which the reporter objected, as it was sent."""

    text = fields.String()
    sent_at = fields.String()
    how = fields.String(allow_none=True)
    rating = fields.Integer(allow_none=True)
    objection = fields.String(allow_none=True)
    files = fields.Nested(FileView, many=True)


class AnswerView(Listed):
    """An answer as the operator sees it: the material to answer with, and what was sent."""

    material = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    text = fields.String(allow_none=True)
    sent_at = Instant(allow_none=True)
    closed_at = Instant(allow_none=True)
    how = fields.String(allow_none=True)
    confirmed_at = Instant(allow_none=True)
    offered = fields.Nested(FileView, many=True)
    files = fields.Nested(FileView, many=True)
    forwarding = fields.Integer()
    cycle = fields.Integer()
    rating = fields.Integer(allow_none=True)
    rating_comment = fields.String(allow_none=True)
    earlier = fields.Nested(EarlierAnswer, many=True)
    ended_why = fields.String(allow_none=True)


class ReadAnswer(Schema):
    """An answer as the reporter sees it."""

    text = fields.String()
    sent_at = Instant()
    closed_at = Instant(allow_none=True)
    how = fields.String(allow_none=True)
    confirmed_at = Instant(allow_none=True)
    rating = fields.Integer(allow_none=True)
    rating_comment = fields.String(allow_none=True)
    files = fields.Nested(FileView, many=True)


class TeamAddress(Schema):
    """The addresses of a team and of its superior, who is sent letters about overdue steps."""

    email = Mailbox(required=True)
    superior_email = Mailbox(allow_none=True, load_default=None)


class Teams(Schema):
    """The addresses of all teams. A team that is left out is sent no letters."""

    operator = fields.Nested(TeamAddress)
    main_team = fields.Nested(TeamAddress)
    opd_team = fields.Dict(keys=Slug(), values=fields.Nested(TeamAddress), validate=Length(most=500))


def read_teams(form: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Convert the addresses loaded by `Teams` to {team: address}."""
    by_opd = {team_of(Role.OPD_TEAM, opd): address for opd, address in form.get("opd_team", {}).items()}
    return {role: form[role] for role in (Role.OPERATOR, Role.MAIN_TEAM) if role in form} | by_opd


def show_teams(addresses: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Convert {team: address} to the shape of `Teams`."""
    shown: dict[str, Any] = {"opd_team": {}}
    for team, address in addresses.items():
        role, _, opd = team.partition(":")
        if opd:
            shown["opd_team"][opd] = address
        else:
            shown[role] = address
    return shown


class LetterIds(Schema):
    """The ids of letters."""

    ids = fields.List(
        fields.String(validate=Regexp(r"[0-9a-z-]{1,36}\Z")),
        required=True,
        validate=Length(1, MOST_AT_ONCE),
    )


class Undelivered(Schema):
    """A letter to a reporter that was given up."""

    ticket = fields.String()
    kind = fields.String()
    given_up_at = Instant()
    to_print = fields.Function(lambda letter: letter.why == TO_PRINT)


class WaitingLetters(Schema):
    """The letters that have failed and will be retried: their number, since when, and why."""

    count = fields.Integer()
    since = Instant()
    why = fields.String(allow_none=True)


class UnsentLetter(Undelivered):
    """An unsent letter: what it is about, and why it was not sent."""

    class Meta:
        exclude = ("to_print",)

    id = fields.String()
    ticket = fields.String(allow_none=True)
    team = fields.String(allow_none=True)
    written_at = Instant(attribute="created_at")
    tries = fields.Integer()
    why = fields.String(allow_none=True)
    next_try_at = fields.Function(lambda row: None if row.given_up_at else write_instant(row.next_try_at))


class MonthField(fields.String):
    """A month such as `2026-03`, loaded as its first instant and that of the next month, in WIB."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return month_bounds(super()._deserialize(value, attr, data, **kwargs))
        except ValueError:
            raise ValidationError([faults.NO_MONTH()]) from None


class Month(Schema):
    """The requested month."""

    month = MonthField(required=True)
