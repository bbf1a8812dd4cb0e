"""What notification is told and what it answers, over RPC."""

from typing import Any

from marshmallow import Schema, fields

from nkk.contracts.fields import TEXT_LENGTH, Instant, PlainText
from nkk.sop.clock import write_instant
from nkk.sop.steps import Role, Step
from services.notification.domain import Entry, Journey


class AnswerText(Schema):
    """The answer as the operator enters it."""

    text = PlainText(TEXT_LENGTH, required=True)


class Listed(Schema):
    """A row of the answers desk."""

    ticket = fields.String()
    path = fields.String()
    came_at = Instant()
    due_at = Instant()
    service_due_at = Instant()
    stands = fields.Function(lambda answer: answer.stands())


class AnswerView(Listed):
    """An answer as the operator sees it: what to answer with, and what was sent."""

    material = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    text = fields.String(allow_none=True)
    sent_at = Instant(allow_none=True)
    closed_at = Instant(allow_none=True)
    how = fields.String(allow_none=True)
    confirmed_at = Instant(allow_none=True)


class ReadAnswer(Schema):
    """An answer as the reporter reads it."""

    text = fields.String()
    sent_at = Instant()
    closed_at = Instant(allow_none=True)
    how = fields.String(allow_none=True)
    confirmed_at = Instant(allow_none=True)


def timeline(journey: Journey, role: str) -> dict[str, Any]:
    """A journey as `role` may see it: the reporter is told roles and times, never a member of staff or a note."""
    return {
        "ticket": journey.ticket,
        "path": journey.path,
        "submitted_at": _instant(journey.submitted_at),
        "service_due_at": _instant(journey.service_due_at),
        "stands": journey.stands(),
        "next": _next(journey.stands_at),
        "entries": [_entry(entry, role) for entry in journey.entries],
    }


def _entry(entry: Entry, role: str) -> dict[str, Any]:
    step = entry.turn.ends
    shown = {"step": step.number, "name": step.name, "activity": step.activity, "event": entry.type,
             "role": step.role, "at": _instant(entry.at), "output": step.output, "round": entry.round or None}
    return shown if role == Role.REPORTER else shown | {"by": entry.by, "opd": entry.opd, "note": entry.note}


def _next(step: Step | None) -> dict[str, Any] | None:
    if step is None:
        return None
    return {"step": step.number, "name": step.name, "activity": step.activity, "role": step.role,
            "minutes": step.minutes}


def _instant(value: Any) -> str | None:
    return None if value is None else write_instant(value)
