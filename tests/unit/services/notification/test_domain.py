from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nkk.sop import steps
from nkk.sop.clock import OFFICE_HOURS, WIB, write_instant
from nkk.sop.journey import TURNS
from nkk.sop.refusals import AlreadyDone, NotYourStep, Refused
from nkk.sop.steps import PATHS, Path, Role
from services.notification.domain import (
    AlreadyAnswered,
    AlreadyConfirmed,
    Closing,
    NotAnsweredYet,
    State,
    is_told_of_change,
    letters_about,
    team_at,
    team_of,
)
from services.notification.journeys import Journey, still_true
from tests.builders import MONDAY, TICKET, answer, entry

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
LAPSE = datetime(2026, 3, 16, 10, 0, tzinfo=WIB)


def sent():
    work = answer()
    work.send("Loket kini buka sampai pukul 16.00.", NOW, OFFICE_HOURS)
    return work


def opened():
    work = sent()
    work.open(NOW + timedelta(hours=1))
    return work


def confirmed():
    work = sent()
    work.confirm(NOW + timedelta(hours=1))
    return work


# -- the answer


def test_a_new_piece_of_work_awaits_its_answer_since_it_came():
    assert answer().stands() == {"state": "awaiting_answer", "since": write_instant(MONDAY)}


def test_an_answer_that_was_sent_may_lapse_after_ten_working_days():
    work = sent()
    assert (work.text, work.sent_at, work.lapses_at) == ("Loket kini buka sampai pukul 16.00.", NOW, LAPSE)
    assert work.stands() == {"state": "answered", "since": write_instant(NOW)}


@pytest.mark.parametrize("standing", [sent, opened, confirmed])
def test_a_second_answer_is_refused_and_changes_nothing(standing):
    work = standing()
    with pytest.raises(AlreadyAnswered) as refused:
        work.send("Lain lagi.", NOW + timedelta(days=1), OFFICE_HOURS)
    assert refused.value.details == {"stands": work.stands()}
    assert work == standing()


def test_a_confirmation_closes_the_complaint():
    work = sent()
    assert work.confirm(NOW + timedelta(hours=1)) is True
    assert (work.how, work.closed_at, work.confirmed_at) == (Closing.CONFIRMED, *[NOW + timedelta(hours=1)] * 2)
    assert work.stands() == {"state": "closed", "since": write_instant(NOW + timedelta(hours=1))}


def test_opening_the_answer_closes_the_complaint_once():
    work = sent()
    assert work.open(NOW + timedelta(hours=1)) is True
    assert work.open(NOW + timedelta(hours=2)) is False
    assert (work.how, work.closed_at, work.confirmed_at) == (Closing.OPENED, NOW + timedelta(hours=1), None)


def test_a_confirmation_after_opening_is_kept_beside_and_closes_nothing_anew():
    work = opened()
    assert work.confirm(NOW + timedelta(hours=2)) is False
    assert (work.how, work.closed_at, work.confirmed_at) == (
        Closing.OPENED,
        NOW + timedelta(hours=1),
        NOW + timedelta(hours=2),
    )


def test_a_second_confirmation_is_refused_and_changes_nothing():
    work = confirmed()
    with pytest.raises(AlreadyConfirmed) as refused:
        work.confirm(NOW + timedelta(days=1))
    assert refused.value.details == {"stands": work.stands()}
    assert work == confirmed()


def test_what_was_not_answered_cannot_be_confirmed_opened_or_lapse():
    work = answer()
    with pytest.raises(NotAnsweredYet) as refused:
        work.confirm(NOW)
    assert refused.value.details == {"stands": work.stands()}
    assert work.open(NOW) is False
    assert work.lapse(NOW + timedelta(days=365)) is False
    assert work == answer()


def test_an_answer_lapses_at_its_time_and_not_before():
    work = sent()
    assert work.lapse(LAPSE - timedelta(microseconds=1)) is False
    assert work == sent()
    assert work.lapse(LAPSE) is True
    assert (work.how, work.closed_at) == (Closing.LAPSED, LAPSE)


@pytest.mark.parametrize("standing", [opened, confirmed])
def test_a_closed_complaint_does_not_lapse(standing):
    work = standing()
    assert work.lapse(LAPSE + timedelta(days=1)) is False
    assert work == standing()


def test_refusals_are_of_the_kinds_the_gateway_knows():
    assert issubclass(AlreadyAnswered, AlreadyDone)
    assert issubclass(AlreadyConfirmed, AlreadyDone)
    assert issubclass(NotAnsweredYet, NotYourStep)


class Receiving(RuleBasedStateMachine):
    """The operator, the reporter and the calendar act in any order: step 6 comes first, then step 7, and only once."""

    def __init__(self):
        super().__init__()
        self.work = answer()
        self.now = NOW
        self.closings = 0
        self.sendings = 0

    def act(self, act):
        """Return the act's result, or None where it was refused. A refusal changes nothing."""
        kept, given, refusal = dict(vars(self.work)), None, None
        try:
            given = act()
        except Refused as error:
            refusal = error
        if refusal:
            assert vars(self.work) == kept
            assert refusal.details == {"stands": self.work.stands()}
        return given is True, refusal

    @rule(days=st.integers(0, 6))
    def time_passes(self, days):
        self.now += timedelta(days=days, minutes=1)

    @rule()
    def send(self):
        awaited = self.work.state == State.AWAITING_ANSWER
        _, refusal = self.act(lambda: self.work.send("Jawaban", self.now, OFFICE_HOURS))
        assert awaited == (refusal is None)
        self.sendings += refusal is None

    @rule(act=st.sampled_from(["confirm", "open", "lapse"]))
    def receive(self, act):
        before = self.work.state
        closes, _ = self.act(lambda: getattr(self.work, act)(self.now))
        assert closes == (before == State.ANSWERED and self.work.state == State.CLOSED)
        self.closings += closes

    @invariant()
    def it_is_sent_once_and_closed_once_and_in_that_order(self):
        assert self.sendings == (self.work.state != State.AWAITING_ANSWER)
        assert self.closings == (self.work.state == State.CLOSED)
        assert (self.work.closed_at is not None) == (self.work.how is not None) == (self.work.state == State.CLOSED)
        assert self.work.closed_at is None or self.work.sent_at <= self.work.closed_at

    @invariant()
    def nothing_lapses_early(self):
        assert self.work.how != Closing.LAPSED or self.work.closed_at >= self.work.lapses_at


TestReceiving = Receiving.TestCase


# -- the journey

INFORMATION = [
    ("complaint.submitted.v2", 0),
    ("complaint.handed_over.v1", 0),
    ("complaint.classified_as_information.v1", 0),
    ("answer.sent.v1", 0),
    ("complaint.closed.v1", 0),
]
COMPLAINT = [
    ("complaint.submitted.v2", 0),
    ("complaint.handed_over.v1", 0),
    ("complaint.forwarded.v1", 0),
    ("response.submitted.v1", 1),
    ("response.returned.v1", 1),
    ("response.submitted.v1", 2),
    ("response.returned.v1", 2),
    ("response.submitted.v1", 3),
    ("response.approved.v1", 3),
    ("answer.sent.v1", 0),
    ("complaint.closed.v1", 0),
]


def journey(entries, **changed):
    told = [entry(type_, round=round_) for type_, round_ in entries]
    return Journey(
        **{
            "ticket": TICKET,
            "reporter_id": None,
            "submitted_at": NOW,
            "service_due_at": NOW,
            "path": "complaint",
            "opd": "disdukcapil",
            "category": "kode-perilaku",
            "sub_category": "disiplin",
            "late_at": None,
            "closed_at": None,
            "entries": told,
            **changed,
        }
    )


def order(way):
    return [(entry.type, entry.round) for entry in way.entries]


@pytest.mark.parametrize("path", [INFORMATION, COMPLAINT], ids=["information", "complaint"])
@given(data=st.data())
def test_whatever_order_events_arrive_in_the_journey_is_told_in_the_procedures(path, data):
    # All at one instant, because the order must not depend on clocks either.
    assert order(journey(data.draw(st.permutations(path)))) == path


@given(st.sets(st.sampled_from(COMPLAINT)).flatmap(lambda heard: st.permutations(sorted(heard))))
def test_a_journey_with_events_missing_keeps_the_order_of_the_rest(heard):
    assert order(journey(heard)) == [entry for entry in COMPLAINT if entry in heard]


@pytest.mark.parametrize(
    ("path", "told"), [(Path.INFORMATION, INFORMATION), (Path.COMPLAINT, COMPLAINT)], ids=["information", "complaint"]
)
def test_the_way_through_the_procedure_is_the_sops_path(path, told):
    way = [steps.SUBMIT]
    for type_, _ in told:
        turn = TURNS[type_]
        assert turn.ends == way[-1]
        way.append(turn.then)
    assert way[-1] is None
    assert list(dict.fromkeys(way[:-1])) == list(PATHS[path])


@pytest.mark.parametrize(
    ("count", "step"), list(enumerate([2, 2, 3, 4, 5, 4, 5, 4, 5, 6, 7])), ids=lambda value: str(value)
)
def test_a_complaint_stands_at_the_step_after_the_last_that_ended(count, step):
    way = journey(COMPLAINT[:count])
    assert way.stands_at.number == step
    assert way.stands() == {"state": way.stands_at.name, "step": step}
    assert way.stands_at is not None


def test_a_closed_complaint_stands_at_no_step():
    way = journey(COMPLAINT)
    assert way.stands_at is None
    assert way.stands() == {"state": "closed", "step": None}


def test_only_its_reporter_the_operators_and_teams_it_reached_may_follow_a_complaint():
    def readers(way):
        asked = {
            "reporter": (Role.REPORTER, True, None),
            "stranger": (Role.REPORTER, False, None),
            "operator": (Role.OPERATOR, False, None),
            "main_team": (Role.MAIN_TEAM, False, None),
            "opd": (Role.OPD_TEAM, False, "disdukcapil"),
            "other opd": (Role.OPD_TEAM, False, "dinas-sosial"),
            "opd team of none": (Role.OPD_TEAM, False, None),
            "admin": (Role.ADMIN, False, None),
        }
        return {name for name, actor in asked.items() if way.shown_to(*actor)}

    assert readers(journey(COMPLAINT[:1], opd=None)) == {"reporter", "operator"}
    assert readers(journey(COMPLAINT[:2], opd=None)) == {"reporter", "operator", "main_team"}
    assert readers(journey(COMPLAINT[:3])) == {"reporter", "operator", "main_team", "opd"}
    assert readers(journey(INFORMATION, opd=None)) == {"reporter", "operator", "main_team"}
    assert readers(journey(COMPLAINT)) == {"reporter", "operator", "main_team", "opd"}


@pytest.mark.parametrize("returns", [0, 1, 2])
def test_a_journey_names_the_calendars_its_clocks_run_by_and_counts_by_them(returns):
    told = [entry("complaint.submitted.v2", calendar=1), entry("complaint.handed_over.v1", calendar=3 + returns)]
    way = journey([])
    way.entries = told
    assert way.calendars == {1, 3 + returns}
    asked = []
    way.clocks(lambda version: asked.append(version) or OFFICE_HOURS)
    assert asked == [1, 3 + returns]


@pytest.mark.parametrize("count", range(1, len(COMPLAINT) + 1))
def test_a_journey_awaits_the_step_it_stands_at_and_no_other(count):
    way = journey(COMPLAINT[:count])
    awaited = {(step, round_) for step in range(1, 8) for round_ in range(5) if way.awaits(step, round_)}
    stands_at = way.stands_at.number if way.stands_at else None
    about = {4: {0, COMPLAINT[count - 1][1] + 1}, 5: {0, COMPLAINT[count - 1][1]}}.get(stands_at, {0})
    assert awaited == ({(stands_at, round_) for round_ in about} if stands_at else set())


def test_a_journey_of_which_nothing_was_heard_awaits_nothing():
    assert not journey([]).awaits(2, 0)


# -- letters about an account


@pytest.mark.parametrize(("minutes", "told"), [(0, False), (59, False), (60, True), (100_000, True)])
def test_an_address_that_was_put_right_soon_is_not_told_that_it_was_left(minutes, told):
    assert is_told_of_change(MONDAY, MONDAY + timedelta(minutes=minutes)) == told


# -- letters about time


@pytest.mark.parametrize(
    ("role", "opd", "team"),
    [
        (Role.OPERATOR, None, "operator"),
        (Role.MAIN_TEAM, None, "main_team"),
        ("main_team", None, "main_team"),
        (Role.OPD_TEAM, "disdukcapil", "opd_team:disdukcapil"),
        ("opd_team", "inspektorat", "opd_team:inspektorat"),
    ],
)
def test_a_team_goes_by_its_role_and_an_opds_by_both(role, opd, team):
    assert team_of(role, opd) == team


@pytest.mark.parametrize(
    ("step", "team"),
    [(2, "operator"), (3, "main_team"), (4, "opd_team:disdukcapil"), (5, "main_team"), (6, "operator")],
)
def test_the_team_that_is_written_to_is_the_one_whose_step_it_is(step, team):
    assert team_at(step, "disdukcapil") == team


@pytest.mark.parametrize(
    ("alarm", "has_superior", "kinds"),
    [
        ("step.due_soon.v1", True, {"due_soon"}),
        ("step.due_soon.v1", False, {"due_soon"}),
        ("step.overdue.v1", True, {"overdue", "overdue_superior"}),
        ("step.overdue.v1", False, {"overdue"}),
    ],
)
def test_a_superior_is_written_to_of_what_is_late_and_not_before(alarm, has_superior, kinds):
    letters = letters_about(alarm, has_superior)
    assert (set(letters), len(letters)) == (kinds, len(kinds))


@pytest.mark.parametrize("kind", ["due_soon", "overdue", "overdue_superior"])
@pytest.mark.parametrize(("heard", "is_true"), [(3, True), (4, False), (5, False), (11, False)])
def test_a_letter_about_a_step_is_true_while_the_step_is_awaited(kind, heard, is_true):
    assert still_true(kind, 4, 1, journey(COMPLAINT[:heard])) is is_true


@pytest.mark.parametrize(("heard", "is_true"), [(3, False), (4, False), (5, True), (6, False), (7, False)])
def test_a_letter_about_a_response_is_not_about_the_one_after_a_return(heard, is_true):
    assert still_true("overdue", 4, 2, journey(COMPLAINT[:heard])) is is_true


@pytest.mark.parametrize("heard", range(1, len(COMPLAINT) + 1))
def test_an_apology_is_true_until_the_answer_is_sent_and_a_reminder_until_it_is_read(heard):
    way = journey(COMPLAINT[:heard])
    assert still_true("late", None, None, way) is (heard < len(COMPLAINT) - 1)
    assert still_true("reminder", None, None, way) is (heard == len(COMPLAINT) - 1)


@pytest.mark.parametrize("kind", ["received", "answered"])
@pytest.mark.parametrize("heard", range(1, len(COMPLAINT) + 1))
def test_a_letter_about_what_has_happened_is_always_true(kind, heard):
    assert still_true(kind, None, None, journey(COMPLAINT[:heard]))


OBJECTED = [
    ("complaint.withdrawn.v1", 1),
    ("complaint.kept.v1", 2),
    ("answer.sent.v1", 2),
    ("complaint.reopened.v1", 2),
]


@pytest.mark.parametrize(("heard", "is_true"), [(2, False), (3, False), (4, True)])
def test_a_reporter_who_withdrew_is_written_to_again_once_they_object_to_the_answer(heard, is_true):
    told = [("complaint.submitted.v2", 1), ("complaint.handed_over.v1", 1), *OBJECTED[:heard]]
    way = journey([])
    way.entries = [
        entry(type_, forwarding=forwarding, cycle=2 if type_ == "complaint.reopened.v1" else 1)
        for type_, forwarding in told
    ]
    way.kept = 1
    assert still_true("answered", None, None, way) is is_true


# -- the clocks of steps 6 and 7


def test_an_answer_that_was_sent_starts_the_reporters_clock_and_tells_no_team_of_it():
    work = answer(tell_at=MONDAY)
    assert work.step == steps.ANSWER
    work.send("Jawaban.", NOW, replace(OFFICE_HOURS, version=3))
    assert (work.step, work.came_at, work.due_at, work.calendar) == (
        steps.RECEIVE,
        NOW,
        OFFICE_HOURS.due(NOW, steps.RECEIVE.minutes),
        3,
    )
    assert (work.done_at, work.tell_at, work.alarm(LAPSE)) == (None, None, None)


def test_a_reporter_is_reminded_two_working_days_before_the_answer_lapses():
    assert sent().remind_at == datetime(2026, 3, 12, 10, 0, tzinfo=WIB)
    assert OFFICE_HOURS.minutes_between(sent().remind_at, sent().lapses_at) == 2 * steps.MINUTES_PER_DAY


@pytest.mark.parametrize(
    ("standing", "closed_at"), [(opened, NOW + timedelta(hours=1)), (confirmed, NOW + timedelta(hours=1))]
)
def test_a_closed_complaint_has_no_reminder_and_a_clock_that_stands(standing, closed_at):
    work = standing()
    assert (work.remind_at, work.done_at, work.tell_at) == (None, closed_at, None)


def test_a_confirmation_after_opening_does_not_move_the_clock():
    work = opened()
    work.confirm(NOW + timedelta(hours=2))
    assert work.done_at == NOW + timedelta(hours=1)
