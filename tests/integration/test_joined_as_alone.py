"""What the reporter of a joined report can see, compared with that of a report which was forwarded and answered alone.

Both reports go their way at the same instants in the same stages, so that all must be equal but their tickets and the
ids of their files.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask, g
from sqlalchemy import select, update

from gateway import papers
from nkk.messaging.calls import RefusedRemotelyError
from nkk.settings.keys import as_pem
from nkk.sop.journey import FORWARDED, RECALLED
from nkk.sop.refusals import Refused
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, grant
from services.notification.storage import tables
from tests.builders import REPORT, upload
from tests.current.documents import application
from tests.integration.test_acts import OTHER, OTHER_TEAM
from tests.integration.test_by_day import KEYS, AtHome
from tests.stages import MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, House

WEBSITE = Actor("website-1", "website")
WHY = "Melaporkan loket yang sama."
BY_CHANCE = re.compile(
    r'name="csrf_token" value="[^"]+"|"token":"[^"]+"|data-draft="[^"]+"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
)
"""What differs in each response, or follows from the ticket."""


class Two:
    """A report that rests with a first one, and one that is alone."""

    def __init__(self, stages: House, app: Flask) -> None:
        self.stages, self.app = stages, app
        self.first, self.joined, self.alone = (self.do("intake", "submit", REPORTER, REPORT) for _ in range(3))
        for ticket in (self.first, self.joined, self.alone):
            self.do("intake", "hand_over", OPERATOR, ticket)
        with stages.databases["notification"].writing() as connection:
            connection.execute(update(tables.journeys).values(website=WEBSITE.id))
        self.passes()

    def do(self, stage: str, command: str, actor: Any, *args: Any) -> Any:
        done = self.stages.do(stage, command, actor, *args)
        self.stages.settle()
        return done["ticket"] if isinstance(done, dict) and "ticket" in done else done

    def both(self, stage: str, command: str, actor: Any, *args: Any) -> None:
        """Do the same with both."""
        for ticket in (self.joined, self.alone):
            self.do(stage, command, actor, ticket, *args)
        self.passes()

    def passes(self, by: timedelta = timedelta(minutes=7)) -> None:
        self.stages.now += by

    def join(self) -> None:
        """Join one report, at the instant at which the other is forwarded."""
        self.do("triage", "join", MAIN_TEAM, self.joined, self.first, WHY)
        self.do("triage", "forward", MAIN_TEAM, self.alone, OPD)
        self.passes()

    def respond(self, *tickets: str, files: int = 2) -> None:
        for ticket in tickets:
            self.do("opd_response", "respond", OPD_TEAM, ticket, "Ditegur.", [upload() for _ in range(files)])
        self.passes()

    def share(self, files: int = 2) -> None:
        """Forward the first, and let the response be approved: to it and to the one that is alone."""
        self.do("triage", "forward", MAIN_TEAM, self.first, OPD)
        self.passes()
        self.respond(self.first, self.alone, files=files)
        for ticket in (self.first, self.alone):
            self.do("triage", "approve", MAIN_TEAM, ticket)
        self.passes()

    def told_at(self, event: str) -> datetime:
        """Return when the reporter of the joined one is told that the last `event` was."""
        entries = self.stages.do("notification", "timeline", REPORTER, self.joined)["entries"]
        return datetime.fromisoformat([entry["at"] for entry in entries if entry["event"] == event][-1])

    def as_told(self, event: str, stage: str, command: str, actor: Actor, *args: Any) -> None:
        """Do with the one that is alone what the other's reporter is told, at the instant that they are told."""
        now, self.stages.now = self.stages.now, self.told_at(event)
        self.do(stage, command, actor, self.alone, *args)
        self.stages.now = now

    def must_look_alike(self) -> None:
        """Assert that everything that their reporter can see of both is the same now."""
        for name, look in LOOKS.items():
            one, other = (without(look(self, ticket), ticket) for ticket in (self.joined, self.alone))
            assert one == other, name


def read(method: str, stage: str = "notification") -> Callable[[Two, str], Any]:
    return lambda two, ticket: two.stages.command(stage, method, REPORTER, ticket)


def refused(act: str, method: str, *args: Any) -> Callable[[Two, str], Any]:
    """Return a look at how an act is refused that is not possible now; one that is possible is not done."""

    def look(two: Two, ticket: str) -> Any:
        if act in two.stages.command("notification", "read_answer", REPORTER, ticket)["acts"]:
            return None
        with pytest.raises(Refused) as refusal:
            two.stages.command("notification", method, REPORTER, ticket, *args)
        return type(refusal.value).__name__, refusal.value.code, refusal.value.details

    return look


def letters(two: Two, ticket: str) -> Any:
    columns = tables.messages.c.kind, tables.messages.c.created_at
    query = select(*columns).where(tables.messages.c.ticket == ticket, tables.messages.c.team.is_(None))
    with two.stages.databases["notification"].reading() as connection:
        return sorted(tuple(row) for row in connection.execute(query))


def file_numbers(two: Two, ticket: str) -> Any:
    found = {}
    for number in ("R1-1", "R1-2", "R1-3", "R2-1", "R2-2", "R3-1"):
        try:
            found[number] = two.stages.command("notification", "open_file", REPORTER, ticket, number)
        except Refused as refusal:
            found[number] = refusal.code
    return found


def document(kind: str, reader: Actor = REPORTER) -> Callable[[Two, str], Any]:
    """Return a look at what a document holds for its reader, from which it is made."""

    def look(two: Two, ticket: str) -> Any:
        token, _ = grant(reader, as_pem(KEYS["NKK_TOKEN_SIGNING_KEY"]))
        with two.app.test_request_context():
            g.actor, g.token = reader, token.rpartition(".")[0]
            try:
                return papers.content(ticket, kind, Role(reader.role))
            except (Refused, RefusedRemotelyError) as refusal:
                return refusal.code

    return look


def requested(address: str, reader: Actor = REPORTER) -> Callable[[Two, str], Any]:
    """Return a look at what the gateway answers, a page or an operation, which counts as a reporter's receipt."""

    def look(two: Two, ticket: str) -> Any:
        token, _ = grant(reader, as_pem(KEYS["NKK_TOKEN_SIGNING_KEY"]))
        client = two.app.test_client()
        client.set_cookie("nkk_access", token)
        authorised = {"Authorization": f"Bearer {token}"} if "/api/" in address else {}
        answer = client.get(address.format(ticket), headers=authorised)
        assert answer.status_code == 200, address
        return BY_CHANCE.sub("", answer.get_data(as_text=True))

    return look


LOOKS: dict[str, Callable[[Two, str], Any]] = {
    "timeline": read("timeline"),
    "answer": read("read_answer"),
    "questions": read("questions"),
    "complaint": read("complaint", "intake"),
    "in the list": lambda two, ticket: two.stages.command("notification", "standings", REPORTER, [ticket]),
    "to the website": lambda two, ticket: two.stages.command("notification", "entered", WEBSITE, [ticket]),
    "letters": letters,
    "files": file_numbers,
    "confirm": refused("confirm_receipt", "confirm_receipt"),
    "object": refused("object", "object_to", "Belum terjawab."),
    "rate": refused("rate", "rate", 5),
    "answer a question": refused("answer_question", "answer_question", 1, "Loket tiga."),
    "Form Pengaduan": document(papers.FORM),
    "Tanda Terima": document(papers.RECEIPT),
    "Laporan Tanggapan Pengaduan": document(papers.RESPONSE),
    "page": requested("/laporan/{}"),
    "operation": requested("/api/v1/complaints/{}"),
}
"""All that a reporter can see of a report, by name, and how what is not possible yet is refused."""


def without(value: Any, ticket: str) -> Any:
    """Return `value` without the ticket, and without the ids of files, which no reporter is told."""
    if isinstance(value, dict):
        return {without(name, ticket): without(each, ticket) for name, each in value.items() if name != "id"}
    if isinstance(value, (list, tuple)):
        return [without(each, ticket) for each in value]
    return value.replace(ticket, "TICKET") if isinstance(value, str) else value


@pytest.fixture(scope="module")
def app(built: House) -> Flask:
    """Return a gateway, API and site, of these stages."""
    made = application(
        TOKEN_PUBLIC_KEY=as_pem(KEYS["NKK_TOKEN_PUBLIC_KEY"]), LIMIT_DOCUMENTS="9999/minute", CLOCK=lambda: built.now
    )
    made.extensions["nkk"] = AtHome(built)
    return made


@pytest.fixture
def two(stages: House, app: Flask) -> Two:
    return Two(stages, app)


def test_a_shared_answer_is_told_as_one_of_its_own_and_so_is_the_second_cycle(two: Two) -> None:
    two.join()
    two.must_look_alike()
    two.passes(timedelta(days=2))
    two.both("intake", "supplement", REPORTER, [], "Kejadiannya hari Senin.")
    two.share()
    two.must_look_alike()
    two.both("notification", "send_answer", OPERATOR, "Sudah ditegur.", ["R1-2"])
    two.must_look_alike()
    two.both("notification", "confirm_receipt", REPORTER)
    two.both("notification", "rate", REPORTER, 4)
    two.must_look_alike()
    two.both("notification", "object_to", REPORTER, "Belum terjawab.")
    two.must_look_alike()
    two.both("triage", "forward", MAIN_TEAM, OPD)
    two.respond(two.joined, two.alone, files=1)
    two.both("triage", "approve", MAIN_TEAM)
    two.both("notification", "send_answer", OPERATOR, "Dicatat.", ["R2-1"])
    two.must_look_alike()


def test_files_are_numbered_as_those_of_the_first_response_whatever_they_were(two: Two) -> None:
    two.join()
    two.do("triage", "forward", MAIN_TEAM, two.first, OPD)
    two.respond(two.first, files=1)
    two.do("triage", "return_response", MAIN_TEAM, two.first, "Lengkapi.")
    two.respond(two.first, files=1)
    two.do("triage", "gather", MAIN_TEAM, two.first, OTHER)
    two.passes()
    two.do("opd_response", "respond", OTHER_TEAM, two.first, "Dicatat.", [upload()])
    two.respond(two.alone)
    # The response came at the same instant, that is when the clock of step 5 began.
    two.stages.now -= timedelta(minutes=7)
    for ticket in (two.first, two.alone):
        two.do("triage", "approve", MAIN_TEAM, ticket)
    two.passes()
    two.both("notification", "send_answer", OPERATOR, "Sudah ditegur.", ["R1-1", "R1-2"])
    two.must_look_alike()


def test_what_was_concluded_as_information_is_told_as_taken_back_and_classified(two: Two) -> None:
    two.join()
    two.do("triage", "classify_as_information", MAIN_TEAM, two.first, "Jawab.")
    two.as_told(RECALLED, "triage", "recall", MAIN_TEAM, WHY)
    two.do("triage", "classify_as_information", MAIN_TEAM, two.alone, "Jawab.")
    two.passes()
    two.must_look_alike()
    two.both("notification", "send_back", OPERATOR, "Ini pengaduan.")
    two.must_look_alike()
    two.both("triage", "forward", MAIN_TEAM, OPD)
    two.must_look_alike()


def test_a_parting_is_told_as_taken_back(two: Two) -> None:
    two.join()
    two.passes(timedelta(days=1))
    two.do("triage", "part", MAIN_TEAM, two.joined, WHY)
    two.do("triage", "recall", MAIN_TEAM, two.alone, WHY)
    two.passes()
    two.must_look_alike()
    two.both("triage", "ask", MAIN_TEAM, "Di loket mana?")
    two.must_look_alike()


def test_a_parting_because_the_first_was_withdrawn_is_told_at_the_next_opening(two: Two) -> None:
    two.join()
    two.do("intake", "withdraw", REPORTER, two.first, "Sudah selesai.")
    two.must_look_alike()
    two.stages.now = datetime.fromisoformat("2026-03-03T07:30:00+07:00")
    two.must_look_alike()
    two.stages.now = datetime.fromisoformat("2026-03-03T08:20:00+07:00")
    two.as_told(RECALLED, "triage", "recall", MAIN_TEAM, WHY)
    two.must_look_alike()
    two.passes()
    two.both("triage", "forward", MAIN_TEAM, OPD)
    two.must_look_alike()


def test_a_report_that_was_parted_and_asked_about_on_that_day_shows_the_question_at_its_step(two: Two) -> None:
    two.join()
    two.do("intake", "withdraw", REPORTER, two.first, "Sudah selesai.")
    two.passes()
    two.do("triage", "ask", MAIN_TEAM, two.joined, "Di loket mana?")
    two.as_told(RECALLED, "triage", "recall", MAIN_TEAM, WHY)
    two.do("triage", "ask", MAIN_TEAM, two.alone, "Di loket mana?")
    two.passes()
    two.must_look_alike()
    two.both("notification", "answer_question", REPORTER, 1, "Loket tiga.")
    two.must_look_alike()


def test_what_shares_a_response_and_is_sent_back_is_told_as_returned_and_taken_back(two: Two) -> None:
    two.join()
    two.do("triage", "forward", MAIN_TEAM, two.first, OPD)
    two.passes()
    two.respond(two.first, two.alone)
    two.do("triage", "approve", MAIN_TEAM, two.first)
    two.passes()
    two.do("notification", "send_back", OPERATOR, two.joined, "Ini loket lain.")
    two.as_told("response.returned.v1", "triage", "return_response", MAIN_TEAM, "Lengkapi.")
    two.do("triage", "recall", MAIN_TEAM, two.alone, WHY)
    two.passes()
    two.must_look_alike()
    two.both("triage", "forward", MAIN_TEAM, OPD)
    two.respond(two.joined, two.alone)
    two.both("triage", "approve", MAIN_TEAM)
    two.both("notification", "send_answer", OPERATOR, "Sudah ditegur.", ["R2-1"])
    two.must_look_alike()


@pytest.mark.parametrize("is_concluded", [False, True])
def test_a_response_that_was_there_before_the_joining_is_told_a_while_after_it(two: Two, is_concluded: bool) -> None:
    two.do("triage", "forward", MAIN_TEAM, two.first, OPD)
    two.respond(two.first)
    if is_concluded:
        two.do("triage", "gather", MAIN_TEAM, two.first, OTHER)
        two.do("opd_response", "decline", OTHER_TEAM, two.first, WHY, None)
    two.join()
    two.passes(timedelta(hours=1))
    two.do("triage", "conclude" if is_concluded else "approve", MAIN_TEAM, two.first)
    two.as_told("response.submitted.v1", "opd_response", "respond", OPD_TEAM, "Ditegur.", [upload(), upload()])
    two.do("triage", "approve", MAIN_TEAM, two.alone)
    two.passes()
    two.must_look_alike()
    assert two.told_at(FORWARDED) < two.told_at("response.submitted.v1") < two.told_at("response.approved.v1")


def test_nothing_is_told_at_the_instant_of_something_else_or_on_the_stroke_of_the_opening(two: Two) -> None:
    two.join()
    two.do("triage", "classify_as_information", MAIN_TEAM, two.first, "Jawab.")
    assert two.told_at(FORWARDED) < two.told_at(RECALLED) < two.told_at("complaint.classified_as_information.v1")
    two.passes()
    two.do("notification", "send_back", OPERATOR, two.joined, "Ini pengaduan.")
    two.first = two.do("intake", "submit", REPORTER, REPORT)
    two.do("intake", "hand_over", OPERATOR, two.first)
    two.passes()
    two.do("triage", "join", MAIN_TEAM, two.joined, two.first, WHY)
    two.passes()
    two.do("intake", "withdraw", REPORTER, two.first, "Sudah selesai.")
    two.stages.now += timedelta(days=1)
    assert two.told_at(RECALLED) > datetime.fromisoformat("2026-03-03T07:30:00+07:00")
    assert two.told_at(RECALLED).microsecond


def test_what_was_withdrawn_by_its_own_reporter_is_not_taken_back_afterwards(two: Two) -> None:
    two.join()
    two.both("intake", "withdraw", REPORTER, "Sudah selesai.")
    two.do("intake", "withdraw", REPORTER, two.first, "Sudah selesai.")
    two.stages.now += timedelta(days=2)
    two.must_look_alike()


def test_receipt_of_what_was_sent_back_twice_is_refused_as_that_of_any_other(two: Two) -> None:
    two.both("triage", "classify_as_information", MAIN_TEAM, "Jawab.")
    two.both("notification", "send_back", OPERATOR, "Ini pengaduan.")
    two.join()
    two.do("triage", "forward", MAIN_TEAM, two.first, OPD)
    two.passes()
    two.respond(two.first, two.alone)
    two.do("triage", "approve", MAIN_TEAM, two.first)
    two.passes()
    two.do("notification", "send_back", OPERATOR, two.joined, "Ini loket lain.")
    two.as_told("response.returned.v1", "triage", "return_response", MAIN_TEAM, "Lengkapi.")
    two.do("triage", "recall", MAIN_TEAM, two.alone, WHY)
    two.must_look_alike()


def test_a_withdrawal_that_came_after_the_answer_is_shown_as_overtaken(two: Two) -> None:
    two.join()
    two.passes()
    two.share()
    two.both("notification", "send_answer", OPERATOR, "Sudah ditegur.")
    two.both("intake", "withdraw", REPORTER, "Sudah selesai.")
    two.must_look_alike()
    (overtaken,) = two.stages.do("notification", "timeline", REPORTER, two.joined)["overtaken"]
    assert overtaken["event"] == "complaint.withdrawn.v1"


def test_an_open_question_is_overtaken_as_by_a_forwarding(two: Two) -> None:
    two.both("triage", "ask", MAIN_TEAM, "Di loket mana?")
    two.must_look_alike()
    two.join()
    two.must_look_alike()
    two.passes(timedelta(days=40))
    two.stages.services["notification"].end_questions()
    two.must_look_alike()


def test_a_report_that_is_withdrawn_while_it_rests_ends_as_any_other(two: Two) -> None:
    two.join()
    two.both("intake", "withdraw", REPORTER, "Sudah selesai.")
    two.must_look_alike()


def test_operators_and_the_main_team_are_told_the_true_facts(two: Two) -> None:
    two.join()
    for reader in (OPERATOR, MAIN_TEAM):
        told = two.stages.command("notification", "timeline", reader, two.joined)
        assert (told["entries"][-1]["event"], told["stands"]["step"]) == ("complaint.joined.v1", 3)
        assert "digabungkan dengan laporan lain" in requested("/laporan/{}", reader)(two, two.joined)
    standing = two.stages.command("notification", "answer", OPERATOR, two.joined)
    assert (standing["stands"]["step"], standing["answer"]) == (3, None)


def test_what_was_added_while_a_report_rests_is_told_to_its_desk_at_step_three(two: Two) -> None:
    two.join()
    two.do("intake", "supplement", REPORTER, two.joined, [], "Kejadiannya hari Senin.")
    (added,) = two.stages.command("notification", "timeline", MAIN_TEAM, two.joined)["beside"]
    assert added["step"] == 3


def test_the_number_of_joined_reports_stands_in_the_main_teams_document_of_the_first_alone(two: Two) -> None:
    two.join()
    two.share()
    two.do("notification", "send_answer", OPERATOR, two.first, "Sudah ditegur.")
    readers = (MAIN_TEAM, OPD_TEAM, OPERATOR, REPORTER)
    held = [document(papers.RESPONSE, reader)(two, two.first) for reader in readers]
    assert [each.get("joined_count") for each in held] == [1, None, None, None]
    assert "joined_count" not in document(papers.RESPONSE, MAIN_TEAM)(two, two.alone)
