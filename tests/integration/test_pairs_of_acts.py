"""Two acts at the same moment: one result, in whatever order the stages hear of them.

Both are commanded before any event of either is delivered. Then the events are delivered in every order in which each
stage can receive them. At one stage the second act is refused by name, where the first does not leave room for it.

The database decides nothing here: `make test` takes SQLite, `make proof` both.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import combinations, islice, permutations, product
from typing import Any

import pytest

from nkk.contracts import STAGES, Event
from nkk.sop.clock import WIB
from nkk.sop.refusals import Refused
from nkk.sop.steps import Role
from nkk.trust.actor import Actor
from tests.builders import complaint_form, own_upload
from tests.effort import LONG, share
from tests.stages import FIRST_MORNING, MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, House, run_of

DATABASES = ["sqlite", "postgres"] if LONG else ["sqlite"]

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("built", DATABASES, indirect=True, scope="module")]

WHY = "Alasan."
OTHER = "dinas-kesehatan"
OTHER_TEAM = Actor("staff-other", "opd_team", OTHER)

FIRST = "the ticket of the first report"

# By act: the stage, the command, who gives it, and the arguments after the ticket.
ACTS: dict[str, tuple[str, str, Any, Callable[[], tuple[Any, ...]]]] = {
    "hand over": ("intake", "hand_over", OPERATOR, tuple),
    "supplement": ("intake", "supplement", REPORTER, lambda: ([own_upload()],)),
    "withdraw": ("intake", "withdraw", REPORTER, lambda: (WHY,)),
    "inform": ("triage", "classify_as_information", MAIN_TEAM, tuple),
    "forward": ("triage", "forward", MAIN_TEAM, lambda: (OPD,)),
    "recall": ("triage", "recall", MAIN_TEAM, lambda: (WHY,)),
    "return": ("triage", "return_response", MAIN_TEAM, lambda: (WHY,)),
    "approve": ("triage", "approve", MAIN_TEAM, tuple),
    "keep": ("triage", "keep", MAIN_TEAM, lambda: (WHY,)),
    "gather": ("triage", "gather", MAIN_TEAM, lambda: (OTHER,)),
    "conclude": ("triage", "conclude", MAIN_TEAM, tuple),
    "join": ("triage", "join", MAIN_TEAM, lambda: (FIRST, WHY)),
    "part": ("triage", "part", MAIN_TEAM, lambda: (WHY,)),
    "inform the first": ("triage", "classify_as_information", MAIN_TEAM, tuple),
    "withdraw the first": ("intake", "withdraw", REPORTER, lambda: (WHY,)),
    "respond beside": ("opd_response", "respond", OTHER_TEAM, lambda: ("Tanggapan kedua.",)),
    "decline beside": ("opd_response", "decline", OTHER_TEAM, lambda: (WHY,)),
    "grant": ("triage", "grant_time", MAIN_TEAM, lambda: (3,)),
    "refuse time": ("triage", "grant_time", MAIN_TEAM, lambda: (0, WHY)),
    "ask for time": ("opd_response", "request_time", OPD_TEAM, lambda: (5, WHY)),
    "respond": ("opd_response", "respond", OPD_TEAM, lambda: ("Tanggapan.",)),
    "decline": ("opd_response", "decline", OPD_TEAM, lambda: (WHY,)),
    "answer": ("notification", "send_answer", OPERATOR, lambda: ("Jawaban.",)),
    "reclassify": ("notification", "send_back", OPERATOR, lambda: (WHY,)),
    "open": ("notification", "open_answer", REPORTER, tuple),
    "confirm": ("notification", "confirm_receipt", REPORTER, tuple),
    "lapse": ("notification", "close_lapsed", None, tuple),
    "operator's question": ("intake", "ask", OPERATOR, lambda: (WHY,)),
    "question": ("triage", "ask", MAIN_TEAM, lambda: (WHY,)),
    "OPD's question": ("opd_response", "ask", OPD_TEAM, lambda: (WHY,)),
    "operator closes": ("intake", "abandon", OPERATOR, lambda: (WHY,)),
    "close": ("triage", "abandon", MAIN_TEAM, lambda: (WHY,)),
    "OPD closes": ("opd_response", "abandon", OPD_TEAM, lambda: (WHY,)),
    "answer question": ("notification", "answer_question", REPORTER, lambda: (1, "Hari Selasa.")),
    "question lapses": ("notification", "end_questions", None, tuple),
    "object": ("notification", "object_to", REPORTER, lambda: (WHY,)),
    "rate": ("notification", "rate", REPORTER, lambda: (4,)),
}

OF_FIRST = ("inform the first", "withdraw the first")
"""The acts on the report that the one that is looked at is joined with."""

FORWARDED = ("hand over", "forward")
RESPONDED = (*FORWARDED, "respond")
INFORMED = ("hand over", "inform")
ANSWERED = (*INFORMED, "answer")
OBJECTED = (*ANSWERED, "confirm", "object")
WITH_OPD, ANYTIME = ("respond", "decline", "recall", "ask for time"), ("supplement", "withdraw")
DECIDED = ("respond", "decline", "recall", "grant", "refuse time", "withdraw")
RECEIVE = ("open", "confirm", "lapse")
ENDED_QUESTION = ("answer question", "question lapses")
OF_TIME = {"lapse": "close_lapsed", "question lapses": "end_questions"}
"""What comes by itself, by the timer that brings it."""

# By the acts that were carried out before: those of which any two may come at the same moment.
MOMENTS: dict[tuple[str, ...], tuple[str, ...]] = {
    (): ("hand over", "operator's question", *ANYTIME),
    ("operator's question",): (*ENDED_QUESTION, "hand over", "withdraw"),
    ("hand over", "question"): (*ENDED_QUESTION, "inform", "forward", "withdraw"),
    (*FORWARDED, "OPD's question"): (*ENDED_QUESTION, "respond", "decline", "recall", "withdraw"),
    (*RESPONDED, "question"): (*ENDED_QUESTION, "return", "approve", "withdraw"),
    ("operator's question", "question lapses"): ("operator closes", "hand over", "operator's question", *ANYTIME),
    ("hand over", "question", "question lapses"): (
        "close",
        "inform",
        "forward",
        "question",
        *OF_FIRST,
        "join",
        *ANYTIME,
    ),
    (*FORWARDED, "OPD's question", "question lapses"): ("OPD closes", "OPD's question", *WITH_OPD, *ANYTIME),
    (*RESPONDED, "question", "question lapses"): ("close", "return", "approve", "gather", "question", *ANYTIME),
    (*OBJECTED, "question", "question lapses"): ("close", "inform", "forward", *ANYTIME),
    (*FORWARDED, "ask for time", "OPD's question", "question lapses"): ("OPD closes", "grant", "recall", "withdraw"),
    ("hand over",): ("inform", "forward", "join", "question", *ANYTIME, *OF_FIRST),
    ("hand over", "join"): ("part", *ANYTIME, *OF_FIRST),
    ("hand over", "join", "part"): ("inform", "forward", "join", *ANYTIME),
    ("hand over", "join", "inform the first"): ("answer", "reclassify", "withdraw"),
    FORWARDED: (*WITH_OPD, "OPD's question", *ANYTIME),
    (*RESPONDED, "return"): (*WITH_OPD, *ANYTIME),
    (*FORWARDED, "ask for time"): DECIDED,
    (*FORWARDED, "ask for time", "grant"): ("respond", "decline", "recall", "withdraw"),
    (*FORWARDED, "ask for time", "respond", "return"): ("respond", "decline", "recall", "withdraw"),
    (*RESPONDED, "return", "ask for time"): DECIDED,
    (*FORWARDED, "recall", "forward"): (*WITH_OPD, *ANYTIME),
    (*FORWARDED, "decline", "forward", "respond"): ("return", "approve", *ANYTIME),
    RESPONDED: ("return", "approve", "gather", "recall", *ANYTIME),
    (*RESPONDED, "gather"): ("respond beside", "decline beside", "recall", *ANYTIME),
    (*RESPONDED, "gather", "respond beside"): ("return", "approve", *ANYTIME),
    (*RESPONDED, "gather", "respond beside", "approve"): ("answer", *ANYTIME),
    (*RESPONDED, "gather", "decline beside"): ("inform", "forward", "conclude", *ANYTIME),
    (*RESPONDED, "gather", "decline beside", "conclude"): ("answer", *ANYTIME),
    (*RESPONDED, "gather", "respond beside", "withdraw", "keep"): ("return", "approve"),
    (*RESPONDED, "approve"): ("answer", *ANYTIME),
    INFORMED: ("answer", "reclassify", *ANYTIME),
    (*INFORMED, "reclassify"): ("inform", "forward", *ANYTIME),
    ANSWERED: (*RECEIVE, "object", *ANYTIME),
    (*RESPONDED, "approve", "answer"): (*RECEIVE, "object", *ANYTIME),
    (*ANSWERED, "confirm"): ("rate", "object", "supplement"),
    ("hand over", "withdraw", "keep"): ("inform", "forward", "supplement"),
    (*RESPONDED, "withdraw", "keep"): ("return", "approve", "supplement"),
    (*RESPONDED, "withdraw", "keep", "return"): (*WITH_OPD, "supplement"),
    OBJECTED: ("inform", "forward", *ANYTIME),
    (*OBJECTED, "forward"): (*WITH_OPD, *ANYTIME),
    (*OBJECTED, "forward", "respond"): ("return", "approve", *ANYTIME),
    (*OBJECTED, "inform"): ("answer", "reclassify", *ANYTIME),
    (*OBJECTED, "inform", "answer"): (*RECEIVE, *ANYTIME),
    (*OBJECTED, "withdraw", "keep"): ("inform", "forward", "supplement"),
}

# At one stage: the refusal of the second act after the first, where it is not possible any more.
REFUSALS = {
    ("withdraw", "hand over"): "Withdrawn",
    ("withdraw", "supplement"): "Withdrawn",
    ("inform", "forward"): "AlreadyClassified",
    ("forward", "inform"): "AlreadyClassified",
    ("join", "inform"): "AlreadyClassified",
    ("join", "forward"): "AlreadyClassified",
    ("inform", "join"): "AlreadyClassified",
    ("forward", "join"): "AlreadyClassified",
    ("inform the first", "join"): "CannotJoin",
    ("inform the first", "part"): "NotJoined",
    ("return", "gather"): "NoResponseYet",
    ("approve", "gather"): "AlreadyApproved",
    ("gather", "return"): "NoResponseYet",
    ("gather", "approve"): "NoResponseYet",
    ("respond beside", "decline beside"): "AlreadyResponded",
    ("decline beside", "respond beside"): "NoLongerHere",
    ("return", "approve"): "NoResponseYet",
    ("approve", "return"): "AlreadyApproved",
    ("approve", "recall"): "NotWithOpd",
    ("respond", "decline"): "AlreadyResponded",
    ("decline", "respond"): "NoLongerHere",
    ("respond", "ask for time"): "AlreadyResponded",
    ("decline", "ask for time"): "NoLongerHere",
    ("recall", "grant"): "NoRequest",
    ("recall", "refuse time"): "NoRequest",
    ("grant", "refuse time"): "NoRequest",
    ("refuse time", "grant"): "NoRequest",
    ("answer", "reclassify"): "AlreadyAnswered",
    ("reclassify", "answer"): "NotYourStep",
    ("object", "confirm"): "NotAnsweredYet",
    ("inform", "conclude"): "AlreadyClassified",
    ("forward", "conclude"): "AlreadyClassified",
    ("conclude", "inform"): "AlreadyClassified",
    ("conclude", "forward"): "AlreadyClassified",
    ("hand over", "operator's question"): "AlreadyHandedOver",
    ("withdraw", "operator's question"): "Withdrawn",
    ("inform", "question"): "NotYourStep",
    ("forward", "question"): "NotYourStep",
    ("join", "question"): "NotYourStep",
    ("respond", "OPD's question"): "AlreadyResponded",
    ("decline", "OPD's question"): "NoLongerHere",
    ("question lapses", "answer question"): "QuestionHasLapsed",
    ("object", "rate"): "NotClosedYet",
    ("operator closes", "hand over"): "Abandoned",
    ("operator closes", "operator's question"): "Abandoned",
    ("operator closes", "supplement"): "Abandoned",
    ("operator closes", "withdraw"): "Abandoned",
    ("hand over", "operator closes"): "AlreadyHandedOver",
    ("operator's question", "operator closes"): "NothingLapsed",
    ("withdraw", "operator closes"): "Withdrawn",
    ("close", "inform"): "Abandoned",
    ("close", "forward"): "Abandoned",
    ("close", "question"): "Abandoned",
    ("close", "join"): "Abandoned",
    ("close", "return"): "Abandoned",
    ("close", "approve"): "Abandoned",
    ("close", "gather"): "Abandoned",
    ("inform", "close"): "NotYourStep",
    ("forward", "close"): "NotYourStep",
    ("join", "close"): "NotYourStep",
    ("return", "close"): "NotYourStep",
    ("approve", "close"): "NotYourStep",
    ("gather", "close"): "NotYourStep",
    ("question", "close"): "NothingLapsed",
    ("return", "question"): "NotYourStep",
    ("approve", "question"): "NotYourStep",
    ("gather", "question"): "NotYourStep",
    ("OPD closes", "OPD's question"): "Abandoned",
    ("OPD closes", "respond"): "Abandoned",
    ("OPD closes", "decline"): "Abandoned",
    ("OPD closes", "ask for time"): "Abandoned",
    ("OPD's question", "OPD closes"): "NothingLapsed",
    ("respond", "OPD closes"): "AlreadyResponded",
    ("decline", "OPD closes"): "NoLongerHere",
}


MIDNIGHT = FIRST_MORNING.astimezone(WIB).replace(hour=0) + timedelta(days=1)
"""One act comes before it and the other after it, because a withdrawal is told by its day."""

LAPSED = timedelta(days=45)
"""After this a question has lapsed."""

MOST_ORDERS = 100 if LONG else 2
AT_ONCE = 12
"""How many complaints are brought to a moment together, which is faster than one by one."""


class Moment:
    """Complaints on which two acts come at the same moment, after the acts `before`."""

    def __init__(self, house: House, before: tuple[str, ...]) -> None:
        self.house, self.before = house, before
        self.house.now = FIRST_MORNING
        self.at = MIDNIGHT - timedelta(seconds=30)
        if "question lapses" in before:
            self.at += LAPSED
        self.fresh: list[str] = []
        self.ticket = ""
        self.first: dict[str, str] = {}

    def begin(self, alone: bool = False) -> None:
        """Take another complaint, at the moment when the two acts come, with every event delivered."""
        if alone:
            self.house.empty()
            self.fresh = []
        if not self.fresh:
            self.house.now, count = FIRST_MORNING, 1 if alone else AT_ONCE
            given = self.house.commands("intake", [("submit", REPORTER, complaint_form()) for _ in range(count)])
            self.fresh = [each["ticket"] for each in given]
            self._settle("intake")
            self._bring_firsts()
            for act in self.before:
                self.house.now += timedelta(minutes=1)
                stage, command, actor, args = ACTS[act]
                if act == "question lapses":
                    self.house.now += LAPSED - timedelta(hours=1)
                    self.house.services[stage].end_questions()
                    self._settle(stage)
                    continue
                self.house.commands(
                    stage, [(command, actor, *self._about(act, ticket, args())) for ticket in self.fresh]
                )
                self._settle(stage)
        self.house.now, self.ticket = self.at, self.fresh.pop()

    def _bring_firsts(self) -> None:
        """Bring a report to Tim Utama's desk for each of the fresh ones, where one is joined with it."""
        if not {"join", *OF_FIRST} & {*self.before, *MOMENTS[self.before]}:
            return
        given = self.house.commands("intake", [("submit", REPORTER, complaint_form()) for _ in self.fresh])
        self.first = dict(zip(self.fresh, [each["ticket"] for each in given], strict=True))
        self._settle("intake")
        self.house.commands("intake", [("hand_over", OPERATOR, ticket) for ticket in self.first.values()])
        self._settle("intake")

    def _about(self, act: str, ticket: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the ticket that an act is about, and its arguments."""
        of = self.first[ticket] if act in OF_FIRST else ticket
        return of, *(self.first[ticket] if each == FIRST else each for each in args)

    def _settle(self, stage: str) -> None:
        """Have all hear of what `stage` did, and of what they do because of it."""
        told: Iterable[str] = (stage,)
        while told:
            self.house.collect(*told)
            told = self._hearing()
            self.house.deliver(together=AT_ONCE)

    def _hearing(self) -> list[str]:
        """Return the stages that have events to hear, and so may have some to tell afterwards."""
        ears = {ear for ear, _ in self.house.waiting}
        return [stage for stage in STAGES if stage in ears]

    def attempt(self, act: str) -> str | None:
        """Carry out an act; return the name of its refusal, or None."""
        stage, command, actor, args = ACTS[act]
        service = self.house.services[stage]
        if act in OF_TIME:
            getattr(service, OF_TIME[act])()
        else:
            try:
                self.house.command(stage, command, actor, *self._about(act, self.ticket, args()))
            except Refused as refusal:
                return type(refusal).__name__
        self.house.collect(stage)
        return None

    def both(self, first: str, second: str) -> tuple[str | None, str | None]:
        """Carry out both acts, and deliver nothing."""
        lapses = bool({first, second} & OF_TIME.keys())
        self.begin(alone=lapses)
        if "question lapses" in (first, second):
            with self.house.services["notification"].uow.reading() as work:
                (asked,) = work.questions.of([self.ticket])[self.ticket]
            self.house.now = asked.lapses_at
        elif lapses:
            (answer,) = self.house.held("notification", [self.ticket])
            self.house.now = answer.lapses_at  # type: ignore[attr-defined]
        one = self.attempt(first)
        self.house.now += timedelta(minutes=not lapses)
        return one, self.attempt(second)

    def heard_in(self, order: dict[str, tuple[str, ...]]) -> None:
        """Deliver the events to each stage in the `order` of their types."""

        def turn(waiting: tuple[str, Event[Any]]) -> tuple[int, int]:
            ear, event = waiting
            types = order.get(ear, ())
            return STAGES.index(ear), types.index(event.type) if event.type in types else len(types)

        for _ in range(30):
            if not self.house.waiting:
                return
            hearing = self._hearing()
            waiting, self.house.waiting = sorted(self.house.waiting, key=turn), []
            for ear, event in waiting:
                self.house.deliver_one(ear, event)
            self.house.collect(*hearing)
        raise AssertionError(f"never handled: {[(ear, event.type) for ear, event in self.house.waiting]}")

    def orders(self) -> Iterator[dict[str, tuple[str, ...]]]:
        """Yield every order in which the stages can receive the events told since `before`."""
        heard: dict[str, list[str]] = {}
        for ear, event in self.house.waiting:
            if event.type != "step.overdue.v1":
                heard.setdefault(ear, []).append(event.type)
        if "triage" in heard and "complaint.withdrawn.v1" in heard["triage"]:
            heard.setdefault("opd_response", []).append("complaint.ended.v1")
        for chosen in product(*(permutations(types) for types in heard.values())):
            yield dict(zip(heard, chosen, strict=True))

    def result(self) -> dict[str, Any]:
        """Return where the complaint stands at every desk and in its journey, with its clocks, and what is possible."""
        now = self.house.now
        found: dict[str, Any] = {}
        with self.house.services["notification"].uow.reading() as work:
            journey = work.journeys.get(self.ticket)
        calendars = self.house.services["notification"].calendars
        counted = {
            (run.step.number, run.forwarding, run.round): (run.came_at, run.due_at, run.done_at)
            for run in journey.clocks(calendars.get)
        }
        for stage in STAGES:
            for case in sorted(self.house.held(stage, [self.ticket]), key=lambda case: case.about_forwarding):
                found[f"{stage} {case.about_forwarding}"] = self._case(stage, case)
                step, forwarding, round_ = run_of(case)
                # A case that goes on after a withdrawal has the last clock of the case that ended with it.
                run = counted.get((step, forwarding, round_)) or counted[step, forwarding - 1, round_]
                assert run == (case.came_at, case.due_at, case.done_at), f"{stage}, {step}, {forwarding}, {round_}"
        found["journey"] = {
            "stands": journey.stands(),
            "entries": [(entry.type, entry.forwarding, entry.round) for entry in journey.entries],
            "overtaken": sorted(entry.type for entry in journey.overtaken),
            "ended": (journey.ended, journey.kept),
            "closed": journey.closed_at is not None,
            "clocks": [
                (run.step.number, run.forwarding, run.round, run.came_at, run.due_at, run.done_at)
                for run in journey.clocks(calendars.get)
            ],
        }
        found["now"] = now
        return found

    def _case(self, stage: str, case: Any) -> dict[str, Any]:
        calendar, now = self.house.services[stage].calendars.get(case.calendar), self.house.now
        if stage in ("triage", "opd_response"):
            acts = case.acts()
        else:
            acts = {role: case.acts(role, now, calendar) for role in (Role.REPORTER, Role.OPERATOR)}
        seen = {name: getattr(case, name, None) for name in ("state", "cycle", "kept", "overtaken", "round", "back")}
        clock = case.came_at, case.due_at, case.done_at, case.tell_at
        # A row whose step was done before the withdrawal may or may not hear of it: it stands as before.
        ending = (case.ended, case.ended_at, case.ended_why) if case.stands()["state"] == case.ended else None
        return seen | {"stands": case.stands(), "acts": acts, "clock": clock, "ending": ending}


def without_times(found: Any) -> Any:
    """Return a result without its instants, which differ by which act was commanded first."""
    timed = "clock", "clocks", "since", "now", "ending"
    if isinstance(found, dict):
        return {key: without_times(value) for key, value in found.items() if key not in timed}
    return found


def results_of(moment: Moment, first: str, second: str) -> tuple[tuple[str | None, str | None], list[Any]]:
    """Return how both acts were refused, and the order and the result of each delivery."""
    refused, results = moment.both(first, second), []
    orders = list(moment.orders())
    if len(orders) > MOST_ORDERS:
        orders = moment.house.chance.sample(orders, MOST_ORDERS)
    for number, order in enumerate(orders):
        if number:
            assert moment.both(first, second) == refused
        moment.heard_in(order)
        results.append((order, moment.result()))
    return refused, results


def differences(moment: Moment, one: str, other: str) -> Iterator[Any]:
    """Yield what depends on the order of two acts, or of their events, and should not."""
    ends = []
    for first, second in ((one, other), (other, one)):
        refused, results = results_of(moment, first, second)
        for order, result in results[1:]:
            if result != results[0][1]:
                yield first, second, results[0][0], order, changed(results[0][1], result)
        if ACTS[first][0] != ACTS[second][0]:
            ends += [without_times(results[0][1])] if refused == (None, None) else []
        elif refused[0] is None and refused[1] != REFUSALS.get((first, second)):
            yield first, second, refused
    if len(ends) == 2 and ends[0] != ends[1]:
        yield one, other, changed(*ends)


def changed(one: Any, other: Any) -> Any:
    """Return what differs between two results."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: changed(one.get(key), other.get(key)) for key in one | other if one.get(key) != other.get(key)}
    return one, other


@pytest.fixture(autouse=True)
def calendars_that_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no stage look for a newer calendar at each command, because none is made here."""
    monkeypatch.setattr("nkk.desk.calendars.FRESH_SECONDS", 3_600.0)


@pytest.mark.parametrize("before", share(MOMENTS), ids=", ".join)
def test_two_acts_at_the_same_moment_have_one_result(stages: House, before: tuple[str, ...]) -> None:
    moment = Moment(stages, before)
    pairs = combinations(MOMENTS[before], 2)
    found = [str(each) for pair in pairs for each in islice(differences(moment, *pair), 1)]
    assert "\n".join(found) == ""
