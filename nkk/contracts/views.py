"""What the stages answer to a call, as both ends see it: the stage that builds it and the gateway that reads it.

Instants are RFC 3339 texts; where the teams are shown a day instead (BY_DAY), it is `2026-03-02`. What a reporter wrote
(`nkk.sop.report`) stands beside these keys and is named nowhere here.
"""

from typing import Any, NotRequired, TypedDict

from nkk.sop.claims import Claim
from nkk.sop.steps import Stands


class Acted(TypedDict):
    """The answer to an act: where the complaint stands now."""

    ticket: str
    stands: Stands


class Claimed(TypedDict):
    """The answer to a claim or its release."""

    ticket: str
    claim: Claim | None


class Left(TypedDict):
    """What is left of two clocks in office minutes, negative once late: None where they have stopped."""

    left_minutes: int | None
    service_left_minutes: int | None
    late: bool


class Case(Left):
    """What stands at a desk, with its clocks and who is on it. What else it shows depends on the desk."""

    ticket: str
    came_at: str
    due_at: str
    done_at: str | None
    service_due_at: str
    stands: Stands
    claim: Claim | None


class Row(Case):
    """A row of a worklist."""

    category: NotRequired[str]
    sub_category: NotRequired[str]
    subject_line: NotRequired[str]
    opd: NotRequired[str | None]
    round: NotRequired[int]
    path: NotRequired[str]
    confidential: NotRequired[bool]


class Listing(TypedDict):
    """A page of a worklist; `next` is the cursor of the next page."""

    items: list[Row]
    next: str | None


class Clock(TypedDict):
    """A step's clock: None where nobody can know, or where it would say to the minute what a reporter did."""

    came_at: str | None
    due_at: str | None
    used_minutes: int | None
    late: bool | None


class Step(Clock):
    """A step of a journey. `role` is who does it, `minutes` its standard time."""

    step: int
    name: str
    activity: str
    role: str
    minutes: int


class Entry(Step):
    """A step that was done. Staff are also told by whom, for which OPD, and the notes that were written to them."""

    event: str
    at: str
    output: str
    round: int | None
    by: NotRequired[str | None]
    opd: NotRequired[str | None]
    note: NotRequired[str | None]


class Next(Step):
    """The step that a complaint waits for."""

    left_minutes: int | None


class Timeline(TypedDict):
    """The journey of a complaint."""

    ticket: str
    path: str | None
    submitted_at: str | None
    service_due_at: str | None
    service_left_minutes: int | None
    stands: Stands
    next: Next | None
    entries: list[Entry]


class Standing(TypedDict):
    """Where a complaint stands, and the clock of that step; of a closed one, of the last."""

    stands: Stands
    came_at: NotRequired[str | None]
    due_at: NotRequired[str | None]
    done_at: NotRequired[str | None]
    late: NotRequired[bool | None]
    left_minutes: NotRequired[int | None]
    service_left_minutes: NotRequired[int | None]


class Answer(TypedDict):
    """An answer as its reporter reads it."""

    text: str | None
    sent_at: str | None
    closed_at: str | None
    how: str | None
    confirmed_at: str | None


class Read(Standing):
    """Where a complaint stands, for its reporter; the answer once it was sent."""

    answer: Answer | None


class AnswerCase(Case, Answer):
    """An answer as the operator works on it: the response or the note to answer with, and what was sent."""

    path: str
    material: str | None
    note: str | None


class Undelivered(TypedDict):
    """A letter to a reporter that was given up."""

    ticket: str
    kind: str
    given_up_at: str


class Answering(Standing):
    """Where a complaint stands, for the operator; the answer once it has come to be answered."""

    answer: AnswerCase | None
    undelivered: list[Undelivered]


class Complaint(Standing):
    """A complaint as a role may see it: what its stage keeps, and where notification knows that it stands."""

    ticket: str
    service_due_at: str
    submitted_at: NotRequired[str]
    handed_over_at: NotRequired[str | None]
    confidential: NotRequired[bool]
    category: NotRequired[str]
    sub_category: NotRequired[str]
    accused_opd: NotRequired[str | None]
    opd: NotRequired[str | None]
    response: NotRequired[str | None]
    claim: NotRequired[Claim | None]
    answer: NotRequired[AnswerCase | Answer | None]
    undelivered: NotRequired[list[Undelivered]]


class Category(TypedDict):
    """A category of the catalogue; sub-categories are names by key."""

    name: str
    source: NotRequired[str]
    sub_categories: dict[str, str]


class Lists(TypedDict):
    """The catalogue and the roster by key; since when they are what they are, None where they are the defaults."""

    categories: dict[str, Category]
    opds: dict[str, str]
    changed_at: str | None


class Fact(TypedDict):
    """An event of a journey: all that its clocks are counted from."""

    event_id: str
    type: str
    at: str
    round: int
    calendar: int


class Record(TypedDict):
    """The facts of one journey, without a word of what it is about."""

    ticket: str
    path: str | None
    category: str | None
    sub_category: str | None
    opd: str | None
    facts: list[Fact]


class Records(TypedDict):
    """Facts of journeys, and the calendars that their clocks run by; `next` where they come in pages."""

    journeys: list[Record]
    calendars: dict[str, dict[str, Any]]
    next: NotRequired[str | None]
