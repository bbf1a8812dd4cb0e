"""The types of RPC results, shared by the stages that build them and the gateway that reads them.

Instants are RFC 3339 texts; where a role sees only the day (BY_DAY), they are the start of the day in WIB. The fields
of a report (`nkk.sop.report`) come beside these keys and are not listed here.
"""

from typing import Any, NotRequired, TypedDict

from nkk.sop.claims import Claim
from nkk.sop.steps import Stands


class Acted(TypedDict):
    """The result of an act: the complaint's new state."""

    ticket: str
    stands: Stands


class AnsweredQuestion(TypedDict):
    """The state of a question that its reporter answered."""

    ticket: str
    number: int
    state: str


class Question(TypedDict):
    """A desk's question to the reporter; `lapses_on` is the last day for an answer.

    For staff only: who asked (`by`), and `undelivered` where its letter did not arrive by e-mail.
    """

    number: int
    step: int
    opd: str | None
    text: str
    asked_at: str
    state: str
    lapses_on: str
    answer: str | None
    answered_on: str | None
    files: NotRequired[list["File"]]
    by: NotRequired[str]
    undelivered: NotRequired[bool]


class RestFact(TypedDict):
    """A question as a fact about the clock of its step, which goes on from `ended_at`."""

    step: int
    forwarding: int
    round: int
    at: str
    ended_at: str | None


class Claimed(TypedDict):
    """The result of a claim or its release."""

    ticket: str
    claim: Claim | None


class Recused(TypedDict):
    """The result of stepping aside: the account that sees the case no more."""

    ticket: str
    account: str


class Note(TypedDict):
    """A note of staff about a case; `by` is an account's id, and `recused` that of the account that it had step aside.

    `recused` is None of other notes.
    """

    at: str
    by: str
    text: str
    recused: str | None


class Left(TypedDict):
    """The office minutes left on the step's and the service's clock: negative when overdue, None when stopped.

    `waiting_since` says since when the desk has waited for the reporter's answer, if it does.
    """

    left_minutes: int | None
    service_left_minutes: int | None
    late: bool
    waiting_since: NotRequired[str | None]


class File(TypedDict):
    """A file of a case. Its `id` is for the gateway alone; what only a reporter sees comes from intake."""

    number: str
    id: str
    media_type: str
    size: int
    sha256: str
    cleaned: bool
    readable: bool
    scan: str
    name: NotRequired[str]
    came_size: NotRequired[int]
    came_sha256: NotRequired[str]
    added_at: NotRequired[str]


class Case(Left):
    """A case at a desk, with its clocks and claim. Further keys depend on the desk."""

    ticket: str
    came_at: str
    due_at: str
    done_at: str | None
    service_due_at: str
    stands: Stands
    claim: Claim | None


class Row(Case):
    """A row of a worklist. `asked_days` are those that an OPD asks for, until that is decided; `returned` says to an
    OPD's team that its last response was returned."""

    category: NotRequired[str]
    sub_category: NotRequired[str]
    subject_line: NotRequired[str]
    opd: NotRequired[str | None]
    round: NotRequired[int]
    returned: NotRequired[bool]
    path: NotRequired[str]
    confidential: NotRequired[bool]
    asked_days: NotRequired[int | None]


class Listing(TypedDict):
    """A page of a worklist; `next` is the cursor of the next page."""

    items: list[Row]
    next: str | None


class Clock(TypedDict):
    """A step's clock. Values are None where they are unknown, or would reveal to the minute what a reporter did."""

    came_at: str | None
    due_at: str | None
    used_minutes: int | None
    late: bool | None
    first_due_at: NotRequired[str]
    moved_days: NotRequired[int]
    waited_minutes: NotRequired[int]


class Step(Clock):
    """A step of a journey. `role` carries it out; `minutes` is its standard time in office minutes."""

    step: int | None
    name: str
    activity: str
    role: str
    minutes: int | None


class Entry(Step):
    """A step that was done, or an act beside the path, which may end no step: `step`, `minutes`, `output` are None
    then.

    Staff also see the account that did it, the OPD, and the notes addressed to them.
    """

    event: str
    at: str
    output: str | None
    round: int | None
    forwarding: NotRequired[int]
    by: NotRequired[str | None]
    opd: NotRequired[str | None]
    note: NotRequired[str | None]


class Act(TypedDict):
    """What happened besides the steps, such as files that were added; `step` is the one that the complaint awaited."""

    event: str
    role: str
    activity: str
    at: str
    step: int
    files: int
    days: NotRequired[int]
    by: NotRequired[str | None]
    opd: NotRequired[str | None]
    note: NotRequired[str | None]


class Next(Step):
    """The step that a complaint waits for; `waiting_since` is when it began to rest for the reporter's answer."""

    left_minutes: int | None
    waiting_since: NotRequired[str | None]


class Timeline(TypedDict):
    """The journey of a complaint."""

    ticket: str
    path: str | None
    channel: NotRequired[str]
    submitted_at: str | None
    service_due_at: str | None
    service_left_minutes: int | None
    stands: Stands
    next: Next | None
    entries: list[Entry]
    beside: NotRequired[list[Act]]
    overtaken: NotRequired[list[Entry]]


class StandsInList(Stands):
    """The state of a complaint in its reporter's list, and what is promised after an objection.

    `waiting_since` is there while a question waits for the reporter's answer.
    """

    service_due_at: NotRequired[str]
    waiting_since: NotRequired[str]


class Standing(TypedDict):
    """The state of a complaint, and the clock of its current step, or of the last step once it is closed."""

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
    files: NotRequired[list[File]]


class EarlierAnswer(TypedDict):
    """An answer to which the reporter objected, as it was sent."""

    text: str
    sent_at: str
    how: str | None
    rating: int | None
    objection: str | None
    files: list[File]


class StandingAgain(Standing):
    """A complaint's state, with the new promise after an objection, of which intake does not know."""

    service_due_at: NotRequired[str]


class Read(StandingAgain):
    """The state of a complaint for its reporter, with the answer once it was sent."""

    answer: Answer | None
    earlier: NotRequired[list[EarlierAnswer]]
    acts: NotRequired[list[str]]


class AnswerCase(Case, Answer):
    """An answer as the operator works on it: the response or the note to answer from, and the answer as sent."""

    path: str
    material: str | None
    note: str | None
    offered: NotRequired[list[File]]


class Undelivered(TypedDict):
    """A letter to a reporter that could not be delivered and is no longer retried."""

    ticket: str
    kind: str
    given_up_at: str


class Answering(StandingAgain):
    """The state of a complaint for the operator, with the answer from step 6 on."""

    answer: AnswerCase | None
    undelivered: list[Undelivered]
    acts: NotRequired[list[str]]


class Complaint(Standing):
    """A complaint as a role may see it: its stage's data, and the state that notification knows."""

    ticket: str
    service_due_at: str
    submitted_at: NotRequired[str]
    handed_over_at: NotRequired[str | None]
    confidential: NotRequired[bool]
    category: NotRequired[str]
    sub_category: NotRequired[str]
    accused_opd: NotRequired[str | None]
    conflict: NotRequired[bool]
    opd: NotRequired[str | None]
    response: NotRequired[str | None]
    files: NotRequired[list[File]]
    response_files: NotRequired[list[File]]
    claim: NotRequired[Claim | None]
    answer: NotRequired[AnswerCase | Answer | None]
    earlier: NotRequired[list[EarlierAnswer]]
    undelivered: NotRequired[list[Undelivered]]
    acts: NotRequired[list[str]]
    better_opd: NotRequired[str | None]
    notes: NotRequired[list[Note]]


class Category(TypedDict):
    """A category of the catalogue; `sub_categories` maps keys to names."""

    name: str
    source: NotRequired[str]
    sub_categories: dict[str, str]


class Seat(TypedDict):
    """An open account of a desk: its role, its OPD, and what the stages may know it as where a case is hidden."""

    role: str
    opd: str | None
    known_as: list[str]


class Lists(TypedDict):
    """The catalogue and the roster by key; `changed_at` is the time of their last change, None for the defaults.

    `inspectorate` is the agency that is offered first for a complaint with a conflict of interest, where there is one.
    """

    categories: dict[str, Category]
    opds: dict[str, str]
    inspectorate: NotRequired[str | None]
    changed_at: str | None


class Fact(TypedDict):
    """An event of a journey, with all that its clocks are computed from."""

    event_id: str
    type: str
    at: str
    round: int
    calendar: int
    forwarding: NotRequired[int]
    cycle: NotRequired[int]
    days: NotRequired[int]
    opd: NotRequired[str | None]


class Record(TypedDict):
    """The facts of one journey, without the report's text."""

    ticket: str
    path: str | None
    category: str | None
    sub_category: str | None
    opd: str | None
    channel: NotRequired[str]
    facts: list[Fact]
    questions: NotRequired[list[RestFact]]


class Ratings(TypedDict):
    """What may be told of the ratings of a month's answers, by rating: {"1": 5, …}; None or nothing for a few."""

    count: int | None
    average: float | None
    by_rating: dict[str, int]


class Records(TypedDict):
    """The facts of journeys, and the calendars of their clocks by version; `next` is the cursor where paged."""

    journeys: list[Record]
    calendars: dict[str, dict[str, Any]]
    next: NotRequired[str | None]
    ratings: NotRequired[Ratings]
