"""The events that several stages publish: questions, closings, recusals and alarms."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import fields, validate

from nkk.contracts.envelope import EventData, event, shape, wire
from nkk.contracts.events.parts import (
    DESKS,
    STAGES,
    calendar_version,
    forwarding_number,
    one_of,
    opaque,
    round_number,
    step_number,
)
from nkk.contracts.fields import NOTE_LENGTH, Happened, Instant, PlainText, Slug, Ticket
from nkk.sop.report import TEXT_LENGTH
from nkk.sop.steps import PERSONS, STEPS


@event("question.asked.v1", service=("intake", "triage", "opd_response"), consumers=("notification",))
class QuestionAsked(EventData):
    """The desk at whose `step` the case stands asked the reporter, and the step's clock rests. The envelope's `id` is
    the question's; `calendar` is the version in force, by which the day is found on which the question lapses."""

    ticket: str = wire(Ticket())
    step: int = wire(fields.Integer(strict=True, validate=validate.Range(2, 5)))
    forwarding: int = wire(forwarding_number())
    round: int = wire(round_number(0))
    opd: str | None = wire(Slug(allow_none=True))
    text: str = wire(PlainText(TEXT_LENGTH))
    calendar: int = wire(calendar_version())
    by: str = wire(opaque())

    @classmethod
    def tellers(cls, data: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the service that owns the step."""
        return tuple(step.owner for step in STEPS if step.number == data.get("step"))


@event("complaint.abandoned.v1", service=DESKS, consumers=STAGES)
class ComplaintAbandoned(EventData):
    """The desk at whose `step` the case stood closed the report as not completed, because its `question` lapsed
    unanswered; that ends it outside of steps 6 and 7. `reason` is for the reporter, too. `opd` names the agency whose
    team has the complaint, if one has. It counts neither after a withdrawal of the same cycle nor where the main team
    took the complaint back from that agency (`complaint.recalled.v1` with the same `forwarding`): the case goes on."""

    ticket: str = wire(Ticket())
    step: int = wire(fields.Integer(strict=True, validate=validate.Range(2, 5)))
    forwarding: int = wire(forwarding_number())
    round: int = wire(round_number(0))
    opd: str | None = wire(Slug(allow_none=True))
    question: str = wire(fields.String(validate=validate.Length(1, 200)))
    reason: str = wire(PlainText(NOTE_LENGTH))
    by: str = wire(opaque())

    @classmethod
    def tellers(cls, data: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the service that owns the step."""
        return tuple(step.owner for step in STEPS if step.number == data.get("step"))


@event("case.recused.v1", service=DESKS, consumers=STAGES, private=True)
class CaseRecused(EventData):
    """A member of staff stepped aside from a case, or the main team had a colleague do so: `account` sees it no more,
    at any desk. `desk` is the stage of the desk of `by`, where the reason stays. Where the main team joins reports, who
    may not see one of them sees none: `account` may then be the `barred` of another report."""

    ticket: str = wire(Ticket())
    desk: str = wire(one_of(DESKS))
    account: str = wire(opaque())
    by: str = wire(opaque())

    @classmethod
    def tellers(cls, data: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the stage of the desk."""
        return tuple(desk for desk in DESKS if desk == data.get("desk"))


@shape
class _Alarm(EventData):
    """The fields of an alarm: the step and the times of its clock; `role` and `opd` name the team."""

    ticket: str = wire(Ticket())
    step: int = wire(step_number())
    forwarding: int = wire(forwarding_number())
    role: str = wire(one_of(PERSONS))
    opd: str | None = wire(Slug(allow_none=True))
    round: int = wire(round_number(0))
    came_at: datetime = wire(Happened())
    due_at: datetime = wire(Instant())
    calendar: int = wire(calendar_version())

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
