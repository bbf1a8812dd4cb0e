from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nkk.sop import steps
from nkk.sop.clock import OFFICE_HOURS, WIB, write_instant
from nkk.sop.refusals import AlreadyDone
from nkk.sop.timed import Alarm
from services.opd_response.domain import AlreadyAsked, AlreadyResponded, State
from tests.builders import MONDAY, opd_case

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


def responded():
    case = opd_case()
    case.respond("Petugas telah ditegur.", NOW)
    return case


def test_a_new_case_awaits_a_response_since_it_came():
    assert opd_case().stands() == {"state": "awaiting_response", "since": write_instant(MONDAY)}


def test_no_field_of_a_case_could_hold_who_reported():
    assert not {name for name in vars(opd_case()) if "reporter" in name or "contact" in name or "email" in name}


def test_responses_are_counted_from_one():
    case = responded()
    assert (case.response, case.round) == ("Petugas telah ditegur.", 1)
    assert case.stands() == {"state": "responded", "since": write_instant(NOW)}


def test_a_second_response_is_refused_and_changes_nothing():
    case = responded()
    with pytest.raises(AlreadyResponded) as refused:
        case.respond("Lain lagi.", NOW + timedelta(hours=1))
    assert refused.value.details == {"stands": {"state": "responded", "since": write_instant(NOW)}}
    assert isinstance(refused.value, AlreadyDone)
    assert case == responded()


def test_a_returned_response_starts_step_4_again():
    case, returned_at = responded(), datetime(2026, 3, 6, 16, 0, tzinfo=WIB)
    case.returned(1, "Sebutkan tindak lanjutnya.", returned_at, OFFICE_HOURS)
    assert (case.return_note, case.came_at) == ("Sebutkan tindak lanjutnya.", returned_at)
    assert case.due_at == datetime(2026, 3, 10, 15, 30, tzinfo=WIB)
    assert case.stands() == {"state": "awaiting_response", "since": write_instant(returned_at)}
    assert case.service_due_at == opd_case().service_due_at


def test_a_returned_response_is_answered_by_the_next_in_number():
    case = responded()
    case.returned(1, "Sebutkan tindak lanjutnya.", NOW, OFFICE_HOURS)
    case.respond("Loket dibuka sampai pukul 16.00.", NOW)
    assert (case.response, case.round, case.state) == ("Loket dibuka sampai pukul 16.00.", 2, State.RESPONDED)


@pytest.mark.parametrize("round_", [0, 2, 99])
def test_a_return_of_another_response_changes_nothing(round_):
    case = responded()
    case.returned(round_, "Terlambat.", NOW + timedelta(hours=1), OFFICE_HOURS)
    assert case == responded()


def test_a_return_heard_twice_changes_nothing_the_second_time():
    case = responded()
    case.returned(1, "Sebutkan tindak lanjutnya.", NOW, OFFICE_HOURS)
    kept = dict(vars(case))
    case.returned(1, "Sebutkan tindak lanjutnya.", NOW + timedelta(hours=1), OFFICE_HOURS)
    assert vars(case) == kept


def timed():
    case = opd_case()
    case.start_clock(steps.RESPOND, MONDAY, OFFICE_HOURS)
    return case


def granted(days=2, at=NOW):
    case = timed()
    case.ask_for_time(5, "Saksi sedang cuti.")
    case.grant_time(1, days, None, at, OFFICE_HOURS)
    return case


def test_more_time_moves_the_due_time_from_where_it_was():
    case, first = granted(), timed()
    assert case.due_at == OFFICE_HOURS.due(first.due_at, 2 * 450)
    assert (case.due_first, case.moved_days) == (first.due_at, 2)
    assert case.tell_at > first.tell_at


def test_a_step_that_was_overdue_gets_more_time_from_its_due_time_and_its_alarms_again():
    case = timed()
    late = case.due_at + timedelta(hours=1)
    assert [case.alarm(late), case.alarm(late)] == [Alarm.OVERDUE, None]
    case.ask_for_time(5, "Saksi sedang cuti.")
    case.grant_time(1, 3, None, late, OFFICE_HOURS)
    assert case.due_at == OFFICE_HOURS.due(timed().due_at, 3 * 450)
    assert case.alarm(late) is None
    later = case.due_at + timedelta(hours=1)
    assert [case.alarm(later), case.alarm(later)] == [Alarm.OVERDUE, None]


def test_more_time_is_asked_for_once_for_each_forwarding():
    case = granted()
    assert "request_time" not in case.acts()
    with pytest.raises(AlreadyAsked):
        case.ask_for_time(1, "Lagi.")
    case.respond("Ditegur.", NOW)
    case.returned(1, "Lengkapi.", NOW, OFFICE_HOURS)
    assert "request_time" not in case.acts()
    assert case.moved_days == 0


def test_time_that_was_granted_after_the_response_changes_nothing():
    case = timed()
    case.ask_for_time(5, "Saksi sedang cuti.")
    case.respond("Ditegur.", NOW)
    case.grant_time(1, 2, None, NOW + timedelta(minutes=1), OFFICE_HOURS)
    assert (case.due_at, case.moved_days, case.tell_at) == (timed().due_at, 0, None)


def test_time_that_was_granted_before_the_response_counts_however_late_it_is_heard_of():
    case = timed()
    case.ask_for_time(5, "Saksi sedang cuti.")
    case.respond("Ditegur.", NOW + timedelta(minutes=1))
    case.grant_time(1, 2, None, NOW, OFFICE_HOURS)
    assert (case.due_at, case.moved_days, case.tell_at) == (granted().due_at, 2, None)


def test_time_that_was_granted_at_the_moment_of_the_response_counts_in_either_order():
    late = timed().due_at + timedelta(minutes=1)
    granted_first, responded_first = timed(), timed()
    for case in (granted_first, responded_first):
        case.ask_for_time(5, "Saksi sedang cuti.")
    granted_first.grant_time(1, 2, None, late, OFFICE_HOURS)
    granted_first.respond("Ditegur.", late)
    responded_first.respond("Ditegur.", late)
    responded_first.grant_time(1, 2, None, late, OFFICE_HOURS)
    later = OFFICE_HOURS.due(timed().due_at, 2 * 450)
    assert granted_first.due_at == responded_first.due_at == later
    assert granted_first.moved_days == responded_first.moved_days == 2


def test_a_withdrawal_takes_the_time_that_was_granted_back():
    case = granted()
    case.end("withdrawn", NOW, "Sudah selesai.")
    assert (case.due_at, case.moved_days) == (timed().due_at, 0)


def test_no_time_moves_nothing():
    case = granted(0)
    assert (case.due_at, case.moved_days, case.granted_days) == (timed().due_at, 0, 0)


class Desk(RuleBasedStateMachine):
    """A team that responds at any time, and a main team whose returns come late, twice or for an old response."""

    def __init__(self):
        super().__init__()
        self.case = opd_case()
        self.now = NOW
        self.accepted = 0

    @rule()
    def respond(self):
        self.now += timedelta(minutes=1)
        awaited, kept = self.case.state == State.AWAITING_RESPONSE, dict(vars(self.case))
        if awaited:
            self.case.respond(f"Tanggapan {self.accepted + 1}", self.now)
            self.accepted += 1
            return
        with pytest.raises(AlreadyResponded) as refused:
            self.case.respond("Sekali lagi", self.now)
        assert vars(self.case) == kept
        assert refused.value.details == {"stands": self.case.stands()}

    @rule(round_=st.integers(0, 4), note=st.sampled_from(["Kurang jelas.", "Belum lengkap."]))
    def a_return_is_heard(self, round_, note):
        self.now += timedelta(minutes=1)
        meant = round_ == self.case.round and self.case.state == State.RESPONDED
        kept = dict(vars(self.case))
        self.case.returned(round_, note, self.now, OFFICE_HOURS)
        if meant:
            assert (self.case.state, self.case.return_note, self.case.since) == (
                State.AWAITING_RESPONSE,
                note,
                self.now,
            )
        else:
            assert vars(self.case) == kept

    @invariant()
    def the_last_accepted_response_is_the_one_kept(self):
        assert self.case.round == self.accepted
        assert self.case.response == (f"Tanggapan {self.accepted}" if self.accepted else None)


TestDesk = Desk.TestCase
