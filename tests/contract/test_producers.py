"""Each event is built as its stage builds it, and must match its sample."""

import inspect
import json
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from nkk.contracts import EVENTS, STAGES
from nkk.contracts.events import (
    AnswerRated,
    AnswerReturned,
    AnswerSent,
    CalendarChanged,
    CaseRecused,
    ComplaintAbandoned,
    ComplaintClassifiedAsInformation,
    ComplaintClosed,
    ComplaintDeclined,
    ComplaintEnded,
    ComplaintForwarded,
    ComplaintHandedOver,
    ComplaintJoined,
    ComplaintKept,
    ComplaintParted,
    ComplaintRecalled,
    ComplaintReopened,
    ComplaintSubmitted,
    ComplaintSubmittedV1,
    ComplaintSupplemented,
    ComplaintWithdrawn,
    ListsChanged,
    PasswordResetRequested,
    QuestionAnswered,
    QuestionAsked,
    QuestionLapsed,
    ReportAddedTo,
    ReporterRegistered,
    ReportSupplemented,
    ResponseApproved,
    ResponseConcluded,
    ResponseGathered,
    ResponseReturned,
    ResponseShared,
    ResponseSubmitted,
    StepDueSoon,
    StepOverdue,
    TimeGranted,
    TimeRequested,
)
from nkk.desk import ClockedWork
from nkk.messaging.boxes import Call
from nkk.sop.calendar import write_calendar
from nkk.sop.clock import OFFICE_HOURS
from nkk.sop.files import described
from nkk.trust.actor import Actor
from nkk.trust.sealing import CannotOpenError, new_key_pair, unseal
from services.intake import retelling
from services.intake import service as intake
from services.intake.domain import Account
from services.intake.entering import submitted
from services.intake.identity import Vault
from services.intake.resets import PasswordReset, Postbox, hash_of
from services.notification import service as notification
from services.notification.asking import Asked as AskedQuestion
from services.notification.keyed import Keyed
from services.opd_response import service as opd_response
from services.triage import service as triage
from tests.builders import MONDAY, TICKET, answer, complaint, heard, opd_case, own_upload, triage_case, upload

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
NEAR, LATE = MONDAY + timedelta(minutes=9), MONDAY + timedelta(minutes=11)
WITHOUT_HOLIDAYS = write_calendar(OFFICE_HOURS) | {"national_years": [2026]}
ADMIN = Actor("admin-1", "admin")
STAFF = Actor("staff-1", "main_team")
TEAM = Actor("staff-2", "opd_team", "disdukcapil")


class Work:
    """A transaction at a desk with one case, which records the events that are published."""

    now = NOW

    @staticmethod
    def clock():
        return NOW

    def __init__(self, thing=None):
        self.thing = thing
        self.told = []

    @property
    def cases(self):
        return self

    answers = journeys = messages = accounts = complaints = cases

    def get(self, *_args, **_kwargs):
        return self.thing

    find = get
    resting = ()

    def resting_with(self, _first):
        return self.resting

    def of_both(self, *tickets_and_actor):
        return {case.ticket: case for case in (self.thing, FIRST)}

    lists = cases

    def roster(self):
        return None

    def save(self, _thing, *_args):
        pass

    def add(self, *_args, **_kwargs):
        return True

    add_reporter = note = keep_contact = keep = answered = close = reopen = attach = add
    recuse = bar = record = add_note = hide_together = add

    @property
    def calendars(self):
        return self

    boxes = calendars

    def use(self, *_args):
        return True

    def part(self):
        return nullcontext()

    clocked = teams = calendars

    def newest(self):
        return 2

    def row(self, version):
        return {"version": version, "content": WITHOUT_HOLIDAYS, "changed_at": NOW, "changed_by": "admin-1"}

    def raise_alarm(self, timed, now):
        return ClockedWork.raise_alarm(self, timed, now)

    def raise_if_overdue(self, timed, now):
        return ClockedWork.raise_if_overdue(self, timed, now)

    def emit(self, *events, at=None, by_day=False):
        self.told += events
        return [f"event-{number}" for number, _ in enumerate(events)]

    def afterwards(self, call):
        call()

    def handling(self, _event):
        return self.begin()

    @contextmanager
    def begin(self):
        yield self

    reading = begin


def told_by(service_cls, command, thing, *args, event_cls=None, resting=(), **provided):
    """Return the one event, of class `event_cls` if given, that `command` publishes when the desk holds `thing`, with
    which those in `resting` rest."""
    work = Work(thing)
    work.resting = resting
    service = service_cls()
    service.uow, service.calendars = work, Keeping()
    for name, value in provided.items():
        setattr(service, name, value)
    # The decorator that checks the role has a test of its own.
    inspect.unwrap(getattr(service_cls, command))(service, *args)
    (event,) = [each for each in work.told if event_cls is None or isinstance(each, event_cls)]
    return event


class Keeping:
    """The calendars of a stage."""

    def current(self):
        return OFFICE_HOURS

    def get(self, _version):
        return OFFICE_HOURS

    def forget_newest(self):
        pass


class Anything:
    """A stand-in for a dependency whose result does not matter."""

    def __getattr__(self, _name):
        return lambda *_args: "anything"


def responded():
    case = triage_case()
    case.forward("disdukcapil", NOW)
    case.receive("Petugas telah ditegur.", 1, NOW, OFFICE_HOURS, described([upload() | {"number": "R1-1"}]))
    return case


def sent():
    work = answer()
    work.send("Loket kini buka sampai pukul 16.00.", NOW, OFFICE_HOURS)
    return work


INTAKE_KEYS, NOTIFICATION_KEYS = new_key_pair(), new_key_pair()


def intakes_vault():
    return Vault(["MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="], "index", INTAKE_KEYS[0], NOTIFICATION_KEYS[1])


def registered():
    form = {
        "kind": "public",
        "identity_number": "1971011503900001",
        "name": "Pelapor Contoh",
        "email": "pelapor@example.org",
        "phone": None,
        "username": "pelapor-contoh",
        "password": "sandi yang panjang",
    }
    return told_by(intake.IntakeService, "register", None, Call(form), vault=intakes_vault(), passwords=Anything())


class Asked(Work):
    """A request for a new password, with its account."""

    resets = Work.cases

    def __init__(self, vault):
        self.index, self.reset = vault.login_index("pelapor-contoh"), None
        self.identity = vault.encrypt({"email": "pelapor@example.org", "username": "pelapor-contoh"})
        self.postboxes = SimpleNamespace(of=Postbox, save=lambda postbox: None)
        super().__init__(Account("reporter-1", self.index, "hash", "reporter"))

    def is_asked(self):
        return True

    def take_asked(self):
        return self.index, NOW

    def reporter(self, _account_id):
        return "public", self.identity

    def of(self, account_id):
        return PasswordReset(account_id)

    def save(self, reset, _now):
        self.reset = reset

    def to_reset(self, index, _limit):
        return [self.get(index)]

    def correct_address(self, account_id, address_index, now):
        """Do nothing: the address is correct already."""

    def oldest(self, _address_index, _limit):
        return {"reporter-1": NOW}

    reading = Work.begin


def reset_requested():
    service = intake.IntakeService()
    service.vault = intakes_vault()
    service.uow = Asked(service.vault)
    assert service._answer_reset()
    (event,) = service.uow.told
    opened = unseal(event.sealed_letter, NOTIFICATION_KEYS[0])
    assert (opened["email"], opened["username"], hash_of(opened["code"])) == (
        "pelapor@example.org",
        "pelapor-contoh",
        service.uow.reset.token_hash,
    )
    return event


def handed_over():
    report = complaint(files=[own_upload()])
    report.hand_over("staff-1", NOW)
    return intake._handed_over(report, OFFICE_HOURS)


def forwarded():
    case = triage_case(files=described([upload() | {"number": "1"}]))
    case.forward("disdukcapil", NOW)
    return triage._forwarded(case, "Mohon ditanggapi.", "staff-1", OFFICE_HOURS)


def supplemented(event_cls=ReportSupplemented):
    report = complaint()
    report.hand_over("staff-1", NOW)
    reporter = Actor(report.reporter_id, "reporter")
    command = intake.IntakeService, "supplement", report
    return told_by(*command, reporter, report.ticket, [own_upload()], "Hari ini tutup lagi.", event_cls=event_cls)


def passed_on():
    case = triage_case()
    case.forward("disdukcapil", NOW)
    return told_by(TRIAGE, "on_report_supplemented", case, heard(supplemented()))


def withdrawn():
    report = complaint()
    report.hand_over("staff-1", NOW)
    reporter = Actor(report.reporter_id, "reporter")
    return told_by(intake.IntakeService, "withdraw", report, reporter, report.ticket, "Sudah selesai.")


def ended():
    case = triage_case()
    case.forward("disdukcapil", NOW)
    return told_by(TRIAGE, "on_complaint_withdrawn", case, heard(withdrawn()))


def kept():
    case = responded()
    case.withdraw(1, NOW, "Sudah selesai.")
    return told_by(TRIAGE, "keep", case, STAFF, TICKET, "Pelanggaran berulang.")


def recalled():
    case = triage_case()
    case.forward("disdukcapil", NOW)
    return told_by(TRIAGE, "recall", case, STAFF, TICKET, "Salah alamat.")


FIRST = triage_case(ticket="NKK-2026-3M3W-0NXV")


def gathered():
    command = TRIAGE, "gather", responded(), STAFF, TICKET, "dinas-kesehatan"
    return told_by(*command, event_cls=ResponseGathered)


def concluded():
    case = responded()
    case.gather("dinas-kesehatan", NOW)
    case.recall(NOW, OFFICE_HOURS, "Keliru.")
    return told_by(TRIAGE, "conclude", case, STAFF, TICKET, event_cls=ResponseConcluded)


def resting():
    case = triage_case()
    case.join(FIRST, False, NOW)
    return case


def shared():
    case = responded()
    case.gather("dinas-kesehatan", NOW)
    case.receive("Dicatat.", 2, NOW, OFFICE_HOURS, forwarding=2)
    return told_by(TRIAGE, "approve", case, STAFF, TICKET, event_cls=ResponseShared, resting=[resting()])


def joined():
    return told_by(TRIAGE, "join", triage_case(), STAFF, TICKET, FIRST.ticket, "Tentang loket yang sama.")


def parted():
    return told_by(TRIAGE, "part", resting(), STAFF, TICKET, "Loket lain.")


def abandoned():
    case = triage_case()
    case.ask("event-1", NOW)
    case.question_ended("event-1", NOW, OFFICE_HOURS, lapsed=True)
    return told_by(TRIAGE, "abandon", case, STAFF, TICKET, "Tanpa nama tempat tidak dapat diperiksa.")


def granted():
    case = triage_case()
    case.forward("disdukcapil", NOW)
    case.asked_for_time(1, 1, 3, "Saksi sedang cuti.")
    return told_by(TRIAGE, "grant_time", case, STAFF, TICKET, 3)


def by_reporter(command, *args):
    """Return what notification publishes when the reporter acts on an answer that they received."""
    received = sent()
    received.open(NOW)
    reporter = Actor("reporter-1", "reporter")
    return told_by(NOTIFICATION, command, received, reporter, TICKET, *args, _own=lambda *_: None, mailer=Anything())


def question():
    return AskedQuestion(
        id="event-1",
        ticket=TICKET,
        number=1,
        step=3,
        forwarding=1,
        round=0,
        at=NOW,
        by="staff-1",
        text="Pada hari apa peristiwanya?",
        lapses_at=NOW + timedelta(days=31),
    )


class OfQuestions(Work):
    """A transaction about one question."""

    now = NOW
    messages = Anything()
    journeys = SimpleNamespace(
        get=lambda _: SimpleNamespace(clocks=lambda _: [], open_questions=lambda *_: [question()])
    )
    reading = Work.begin

    @property
    def questions(self):
        return SimpleNamespace(
            get=lambda *_: self.thing, locked=lambda _: self.thing, save=lambda _: None, due=lambda *_: ["event-1"]
        )


def about_question(command, *args, now=NOW):
    """Return what notification publishes when a question ends."""
    service, work = notification.NotificationService(), OfQuestions(question())
    service.uow, service.calendars, service.mailer = work, Keeping(), SimpleNamespace(wake=lambda: None)
    service._own = lambda *_: work.journeys.get(TICKET)
    work.now = now
    inspect.unwrap(getattr(notification.NotificationService, command))(service, *args)
    (event,) = work.told
    return event


def question_answered():
    return about_question("answer_question", Actor("reporter-1", "reporter"), TICKET, 1, "Hari Selasa.")


def question_lapsed():
    return about_question("end_questions", now=NOW + timedelta(days=40))


TRIAGE, OPD, NOTIFICATION = triage.TriageService, opd_response.OpdResponseService, notification.NotificationService

PRODUCERS = {
    ReporterRegistered: registered,
    PasswordResetRequested: reset_requested,
    ComplaintSubmitted: lambda: submitted(complaint(), intakes_vault()),
    ComplaintHandedOver: handed_over,
    ReportSupplemented: supplemented,
    ReportAddedTo: lambda: supplemented(ReportAddedTo),
    ComplaintSupplemented: passed_on,
    ComplaintClassifiedAsInformation: lambda: told_by(TRIAGE, "classify_as_information", triage_case(), STAFF, TICKET),
    ComplaintForwarded: forwarded,
    ResponseSubmitted: lambda: told_by(OPD, "respond", opd_case(), TEAM, TICKET, "Petugas telah ditegur.", [upload()]),
    ResponseReturned: lambda: told_by(TRIAGE, "return_response", responded(), STAFF, TICKET, "Belum menjawab."),
    ResponseApproved: lambda: told_by(TRIAGE, "approve", responded(), STAFF, TICKET),
    AnswerSent: lambda: told_by(
        NOTIFICATION, "send_answer", answer(), STAFF, TICKET, "Jawaban.", mailer=Anything(), _minutes_to=lambda *_: 42
    ),
    ComplaintClosed: lambda: closed(),
    ComplaintWithdrawn: withdrawn,
    ComplaintEnded: ended,
    ComplaintKept: kept,
    ComplaintDeclined: lambda: told_by(OPD, "decline", opd_case(), TEAM, TICKET, "Bukan kami.", "dinkes"),
    ComplaintRecalled: recalled,
    TimeRequested: lambda: told_by(OPD, "request_time", opd_case(), TEAM, TICKET, 3, "Saksi sedang cuti."),
    TimeGranted: granted,
    ResponseGathered: gathered,
    ResponseConcluded: concluded,
    ResponseShared: shared,
    ComplaintJoined: joined,
    ComplaintParted: parted,
    AnswerReturned: lambda: told_by(NOTIFICATION, "send_back", answer(path="information"), STAFF, TICKET, "Pengaduan."),
    ComplaintReopened: lambda: by_reporter("object_to", "Belum menjawab."),
    AnswerRated: lambda: by_reporter("rate", 2),
    ComplaintAbandoned: abandoned,
    CaseRecused: lambda: told_by(TRIAGE, "recuse", triage_case(), STAFF, TICKET, "Kerabat."),
    QuestionAsked: lambda: told_by(TRIAGE, "ask", triage_case(), STAFF, TICKET, "Pada hari apa peristiwanya?"),
    QuestionAnswered: question_answered,
    QuestionLapsed: question_lapsed,
    StepDueSoon: lambda: alarm(NEAR),
    StepOverdue: lambda: alarm(LATE),
    CalendarChanged: lambda: told_by(
        intake.IntakeService,
        "set_day",
        None,
        ADMIN,
        "2026-03-28",
        {"name": "Pelayanan Sabtu setelah banjir", "spans": [["08:00", "12:00"]]},
    ),
    ListsChanged: lambda: lists_changed(),
}


class OfLists(Work):
    """A transaction of an admin who replaces the roster."""

    lists = Work.cases

    def replace(self, _name, content, _by, _now):
        self.thing = content

    def opds(self):
        return self.thing

    def categories(self):
        return {}

    def inspectorate(self):
        return None

    def published(self, _name):
        return 2, ["disdukcapil"]

    def keep_published(self, _name, _version, _opds):
        """Do nothing: the version is not read again."""


def lists_changed():
    service = intake.IntakeService()
    service.uow = OfLists()
    roster = {"disdukcapil": "Dinas Kependudukan dan Pencatatan Sipil", "bkpsdmd": "BKPSDMD"}
    inspect.unwrap(intake.IntakeService.replace_lists)(service, ADMIN, {"opds": roster})
    (event,) = service.uow.told
    return event


def alarm(now):
    """Return the only event that the timer publishes about a complaint at `now`."""
    work = Work()
    work.raise_alarm(complaint(), now)
    (event,) = work.told
    return event


def closed():
    work, answered = Work(), sent()
    answered.confirm(NOW)
    notification.close(work, answered)
    (event,) = work.told
    return event


each_event = pytest.mark.parametrize("event", PRODUCERS, ids=lambda event: event.TYPE)


@each_event
def test_a_stage_tells_exactly_the_fields_of_the_sample(event, document):
    told = PRODUCERS[event]()
    assert type(told) is event
    # An event that a timer publishes has no request as its cause.
    written = json.loads(told.to_json("event-1", MONDAY, document(event).get("correlationid")))
    assert set(written) == set(document(event))
    assert set(written["data"]) == set(document(event)["data"])


@each_event
def test_what_a_stage_tells_can_be_read(event):
    told = PRODUCERS[event]()
    assert event.read(told.to_json("event-1", MONDAY)).data == told


@each_event
def test_fields_hold_the_kind_of_value_they_hold_in_the_sample(event, document):
    written = json.loads(PRODUCERS[event]().to_json("event-1", MONDAY))["data"]
    for name, value in document(event)["data"].items():
        if value is not None and written[name] is not None:
            assert type(written[name]) is type(value), name


def test_every_event_is_told_but_the_one_that_named_a_reporter_beside_a_ticket():
    assert set(EVENTS) - set(PRODUCERS) == {ComplaintSubmittedV1}


def test_whose_a_report_is_only_notification_can_read_and_of_this_report_alone():
    report = complaint()
    first, second = (submitted(report, intakes_vault()) for _ in range(2))
    keyed = Keyed(NOTIFICATION_KEYS[0])
    assert keyed.open_reporter(first.sealed_reporter, report.ticket) == report.reporter_id == "reporter-1"
    assert first.sealed_reporter != second.sealed_reporter
    assert "reporter-1" not in first.to_json("event-1", MONDAY)
    with pytest.raises(CannotOpenError):
        keyed.open_reporter(first.sealed_reporter, TICKET)
    with pytest.raises(CannotOpenError):
        Keyed(INTAKE_KEYS[0]).open_reporter(first.sealed_reporter, report.ticket)


def test_what_was_told_in_the_clear_is_told_again_as_it_would_be_today(document):
    told = document(ComplaintSubmittedV1)
    again = json.loads(retelling.sealed(json.dumps(told), intakes_vault()))
    box, whose = again["data"].pop("sealed_reporter"), told["data"].pop("reporter_id")
    assert Keyed(NOTIFICATION_KEYS[0]).open_reporter(box, told["subject"]) == whose
    assert [again["data"].pop(name) for name in ("channel", "website", "barred")] == ["web", None, None]
    assert again == told | {"type": "complaint.submitted.v2"}


def test_nothing_of_who_registered_is_told_in_the_clear():
    for written in (registered().to_json("event-1", MONDAY), reset_requested().to_json("event-1", MONDAY)):
        for known in ("1971011503900001", "Pelapor Contoh", "pelapor@example.org", "pelapor-contoh"):
            assert known not in written


BUILDERS = {"intake": complaint, "triage": triage_case, "opd_response": opd_case, "notification": answer}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(("now", "event"), [(NEAR, StepDueSoon), (LATE, StepOverdue)])
def test_every_stage_can_tell_of_what_stands_at_its_steps(stage, now, event):
    timed = BUILDERS[stage]()
    timed.due_at, timed.tell_at = MONDAY + timedelta(minutes=10), MONDAY + timedelta(minutes=8)
    work = Work()
    work.raise_alarm(timed, now)
    (told,) = work.told
    assert type(told) is event
    assert event.read(told.to_json("event-1", MONDAY, None, stage)).data == told
    assert (told.step, told.role, told.opd) == (
        timed.step.number,
        timed.step.role,
        "disdukcapil" if stage == "opd_response" else None,
    )
    assert timed.step.owner == stage
