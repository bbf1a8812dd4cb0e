"""Reports that websites send in, at intake and notification, on either database."""

import inspect
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from nkk.contracts.events import ComplaintClassifiedAsInformation, ComplaintSubmitted, ReporterRegistered
from nkk.sop.refusals import InvalidInput, NotAuthenticated, UnknownTicket
from nkk.trust.actor import Actor
from nkk.trust.sealing import unseal
from services.intake import entries
from services.intake.domain import IdempotencyKeyReused
from services.intake.entering import submitted
from services.intake.service import IntakeService
from services.intake.storage import accounts, outbox
from services.intake.storage import entries as entry_rows
from tests.boxes import asked, called_by, proved
from tests.builders import complaint, heard, own_upload
from tests.intake import ENTRY, OPERATOR, OTHER_WEBSITE, PRIVATE, PUBLIC, WEBSITE, intake_at, stored
from tests.stages import FIRST_MORNING, REPORTER, VAULT, House, house
from tests.stages import OPERATOR as STAFF_OPERATOR


@pytest.fixture
def intake(url_of: Callable[[str], str]) -> Iterator[IntakeService]:
    """Yield intake on either database."""
    with intake_at(url_of("intake")) as service:
        yield service


def enter(intake: IntakeService, actor: Actor = WEBSITE, **changed: Any) -> dict[str, Any]:
    return asked(copy(intake), PUBLIC, "submit_for", ENTRY | changed, actor)


def count(intake: IntakeService, table: Any) -> int:
    with intake.uow.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def of_website(intake: IntakeService) -> list[Any]:
    with intake.uow.database.reading() as connection:
        return list(connection.execute(select(entry_rows).where(entry_rows.c.website_id == WEBSITE.id)))


def told(intake: IntakeService) -> list[Any]:
    kinds = {kind.TYPE: kind for kind in (ReporterRegistered, ComplaintSubmitted)}
    with intake.uow.database.reading() as connection:
        rows = connection.execute(select(outbox.c.type, outbox.c.body).order_by(outbox.c.id)).all()
    return [kinds[row.type].read(row.body).data for row in rows]


def test_an_entry_is_a_report_with_an_author_who_is_told(intake: IntakeService) -> None:
    receipt = enter(intake)
    assert receipt["stands"]["state"] == "awaiting_hand_over"
    registered, submitted = told(intake)
    assert unseal(registered.sealed_contact, PRIVATE) == {"email": ENTRY["reporter"]["email"]}
    author = unseal(submitted.sealed_reporter, PRIVATE)
    assert author == {"ticket": receipt["ticket"], "reporter_id": registered.reporter_id}
    assert (submitted.website, submitted.channel, submitted.reporter_kind) == (WEBSITE.id, "web", "public")
    shown = asked(copy(intake), PUBLIC, "identity", {"ticket": receipt["ticket"]}, OPERATOR)
    assert shown == {**ENTRY["reporter"], "phone": None, "username": None}


def test_the_same_entry_has_the_same_ticket_and_code_whenever_it_comes(intake: IntakeService) -> None:
    first = enter(intake)
    assert enter(intake) == first
    assert enter(intake, form={**ENTRY["form"], "text": f"  {ENTRY['form']['text']}\r\n"}) == first
    for changed in (
        {"form": {**ENTRY["form"], "text": "Lain sama sekali."}},
        {"reporter": {**ENTRY["reporter"], "identity_number": "1971014107900002"}},
    ):
        with pytest.raises(IdempotencyKeyReused) as refusal:
            enter(intake, **changed)
        assert refusal.value.details == {"ticket": first["ticket"]}
    assert [row.ticket for row in of_website(intake)] == [first["ticket"]]
    assert len(told(intake)) == 2


def test_an_entry_that_is_sent_again_tells_no_minute_of_what_was_done_with_it(intake: IntakeService) -> None:
    first = enter(intake)
    called_by(copy(intake), proved(OPERATOR)).hand_over(first["ticket"])
    assert called_by(copy(intake), proved(WEBSITE)).entry(first["ticket"])["stands"]["state"] == "classify"
    assert enter(intake) == first


def test_an_entry_that_is_sent_again_tells_nothing_of_files_that_the_person_added_later(intake: IntakeService) -> None:
    form = {**ENTRY["form"], "files": [own_upload()]}
    first = enter(intake, form=form)
    assert [file["number"] for file in first["files"]] == ["1"]
    [row] = of_website(intake)
    author = Actor(row.reporter_id, "reporter")
    service = copy(intake)
    inspect.unwrap(type(service).supplement)(service, author, first["ticket"], [own_upload()])
    assert enter(intake, form=form) == first


@pytest.mark.parametrize(("sender", "more"), [(WEBSITE, {}), (OPERATOR, {"channel": "counter"})])
def test_whoever_sends_in_learns_again_what_they_attached_when_their_uploads_are_gone(
    intake: IntakeService, sender: Actor, more: dict[str, str]
) -> None:
    file = own_upload()
    enter(intake, sender, form={**ENTRY["form"], "files": [file]}, **more)
    for actor, known in ((sender, [file]), (OTHER_WEBSITE, [])):
        assert called_by(copy(intake), proved(actor)).attached_before([file["id"]]) == known


def test_entries_sent_at_once_with_one_key_are_one(intake: IntakeService) -> None:
    together, before = threading.Barrier(6), count(intake, accounts)

    def send(_: int) -> dict[str, Any]:
        together.wait()
        return enter(intake)

    with ThreadPoolExecutor(6) as pool:
        receipts = list(pool.map(send, range(6)))
    assert [receipt == receipts[0] for receipt in receipts] == [True] * 6
    assert (len(of_website(intake)), count(intake, accounts) - before) == (1, 1)


def test_without_a_key_each_entry_is_another_and_two_websites_may_choose_the_same_key(intake: IntakeService) -> None:
    receipts = [enter(intake, idempotency_key=None) for _ in range(2)] + [enter(intake), enter(intake, OTHER_WEBSITE)]
    for part in ("ticket", "access_code"):
        assert len({receipt[part] for receipt in receipts}) == 4


def test_a_refused_entry_leaves_nothing_but_its_used_box(intake: IntakeService) -> None:
    before = stored(intake)
    for changed in (
        {"form": {**ENTRY["form"], "sub_category": "tidak-ada"}},
        {"reporter": {**ENTRY["reporter"], "identity_number": "1"}},
    ):
        with pytest.raises(InvalidInput):
            enter(intake, **changed)
    after = stored(intake)
    assert {name for name in after if after[name] != before[name]} == {"used_boxes"}
    assert enter(intake)["ticket"]


def test_faults_of_the_person_are_named_under_the_person(intake: IntakeService) -> None:
    with pytest.raises(InvalidInput) as refusal:
        enter(intake, reporter={**ENTRY["reporter"], "identity_number": "1"})
    assert set(refusal.value.details["fields"]["reporter"]) == {"identity_number"}


def test_the_account_cannot_be_logged_in_to_nor_found_by_its_address(intake: IntakeService) -> None:
    enter(intake)
    intake.index_addresses()
    (entry,) = of_website(intake)
    reporter_id = entry.reporter_id
    with intake.uow.database.reading() as connection:
        index = connection.execute(select(accounts.c.login_index).where(accounts.c.id == reporter_id)).scalar_one()
    for name in (index, reporter_id, ENTRY["reporter"]["email"]):
        for password in ("", "x"):
            with pytest.raises((NotAuthenticated, InvalidInput)):
                asked(copy(intake), PUBLIC, "log_in", {"username": name, "password": password})
    asked(copy(intake), PUBLIC, "request_reset", {"email": ENTRY["reporter"]["email"]})
    intake.answer_resets()
    assert len(told(intake)) == 2


def test_neither_code_nor_identity_is_stored_in_the_clear(intake: IntakeService) -> None:
    receipt = enter(intake)
    held = repr(stored(intake))
    for secret in (receipt["access_code"], receipt["access_code"].replace("-", "")):
        assert secret not in held
    for part in ("identity_number", "name", "email"):
        assert ENTRY["reporter"][part] not in held
    assert entries.hash_of(intake.vault.hidden, receipt["access_code"]) in held


def test_a_website_sees_the_days_and_the_step_of_its_own_entries_only(intake: IntakeService) -> None:
    tickets = [enter(intake, idempotency_key=None)["ticket"] for _ in range(3)]
    other = enter(intake, OTHER_WEBSITE)["ticket"]
    by = called_by(copy(intake), proved(WEBSITE))
    first = by.entries(None, 2)
    last = by.entries(first["next"], 2)
    assert [row["ticket"] for row in first["items"] + last["items"]] == tickets[::-1]
    assert last["next"] is None
    shown = by.entry(tickets[0])
    assert shown in last["items"]
    assert set(shown) == {"ticket", "submitted_at", "service_due_at", "stands"}
    assert shown["submitted_at"].endswith("T00:00:00+07:00")
    assert shown["stands"] == {"state": "hand_over", "step": 2}
    for ticket in (other, "open", "NKK-2026-0000-0000"):
        with pytest.raises(UnknownTicket):
            by.entry(ticket)


@pytest.fixture
def stages(url_of: Callable[[str], str]) -> Iterator[House]:
    """Yield the four stages on either database."""
    with house(url_of) as built:
        yield built


def test_notification_shows_a_website_the_step_of_what_it_sent_in_and_the_receipt_a_day_late(stages: House) -> None:
    situs, other = Actor("situs", "website"), Actor("situs-lain", "website")
    event = heard(submitted(complaint(FIRST_MORNING), VAULT, "situs"), FIRST_MORNING)
    stages.services["notification"].on_complaint_submitted(event)
    notification = stages.services["notification"]

    def seen(actor: Actor) -> dict[str, Any]:
        return stages.do("notification", "entered", actor, [event.subject, "NKK-2026-0000-0000"])

    assert seen(situs) == {event.subject: {"state": "hand_over", "step": 2}}
    assert seen(other) == {}
    informed = ComplaintClassifiedAsInformation(
        ticket=event.subject, note=None, service_due_at=FIRST_MORNING, service_calendar=0, calendar=0, by="x"
    )
    notification.on_classified_as_information(heard(informed, FIRST_MORNING))
    stages.do("notification", "send_answer", STAFF_OPERATOR, event.subject, "Jawaban.")
    stages.do("notification", "open_answer", REPORTER, event.subject)
    assert seen(situs) == {event.subject: {"state": "receive", "step": 7}}
    stages.now += timedelta(days=1)
    assert seen(situs) == {event.subject: {"state": "closed", "step": None}}
