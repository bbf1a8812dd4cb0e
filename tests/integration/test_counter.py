"""Reports that an operator enters at the counter, by telephone, letter or social media, on either database."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import Any

import pytest
from sqlalchemy import select

from nkk.contracts.events import ComplaintSubmitted, ReporterRegistered
from nkk.sop.refusals import InvalidInput
from nkk.trust.actor import Actor
from nkk.trust.sealing import unseal
from services.intake.domain import AlreadyDone
from services.intake.entries import AccessCodeRefused, AccountOpenedBefore, NotEnteredByStaff, PaperEnteredBefore
from services.intake.service import IntakeService
from services.intake.storage import outbox, record
from tests.boxes import asked, called_by, proved
from tests.intake import ENTRY, MAIN_TEAM, OPERATOR, PRIVATE, PUBLIC, WEBSITE, intake_at, stored

WITHOUT_EMAIL = {**ENTRY["reporter"], "email": None}
NEW = {"username": "warga-loket", "password": "sandi yang panjang"}


@pytest.fixture
def intake(url_of: Callable[[str], str]) -> Iterator[IntakeService]:
    """Yield intake on either database."""
    with intake_at(url_of("intake")) as service:
        yield service


def enter(intake: IntakeService, actor: Actor = OPERATOR, **changed: Any) -> dict[str, Any]:
    entry = ENTRY | {"channel": "counter", "idempotency_key": None} | changed
    return asked(copy(intake), PUBLIC, "submit_for", entry, actor)


def renewed(intake: IntakeService, ticket: str) -> str:
    return asked(copy(intake), PUBLIC, "renew_code", {"ticket": ticket}, OPERATOR)["access_code"]


def opened(intake: IntakeService, code: str, **changed: Any) -> Any:
    return asked(copy(intake), PUBLIC, "open_account", {"access_code": code} | NEW | changed)


def seen(intake: IntakeService, ticket: str) -> dict[str, Any]:
    return called_by(copy(intake), proved(OPERATOR)).complaint(ticket)


def told(intake: IntakeService, kind: Any) -> list[Any]:
    with intake.uow.database.reading() as connection:
        rows = connection.execute(select(outbox.c.body).where(outbox.c.type == kind.TYPE)).scalars().all()
    return [kind.read(body).data for body in rows]


@pytest.mark.parametrize("channel", ["counter", "telephone", "letter", "social_media"])
def test_what_an_operator_enters_tells_its_channel(intake: IntakeService, channel: str) -> None:
    ticket = enter(intake, channel=channel, paper=" 12/B/2026 ")["ticket"]
    [submitted] = told(intake, ComplaintSubmitted)
    assert (submitted.channel, submitted.website) == (channel, None)
    view = seen(intake, ticket)
    assert (view["channel"], view["entered"]["paper"]) == (channel, "12/B/2026")


def test_the_channel_is_the_operators_to_name_and_no_websites(intake: IntakeService) -> None:
    for actor, changed, wrong in (
        (OPERATOR, {"channel": None}, {"channel"}),
        (OPERATOR, {"channel": "web"}, {"channel"}),
        (WEBSITE, {}, {"channel"}),
        (WEBSITE, {"channel": None, "paper": "1"}, {"paper"}),
        (WEBSITE, {"channel": None, "reporter": WITHOUT_EMAIL}, {"reporter"}),
    ):
        with pytest.raises(InvalidInput) as refusal:
            enter(intake, actor, **changed)
        assert set(refusal.value.details["fields"]) == wrong


def test_only_the_email_may_be_missing_at_the_counter(intake: IntakeService) -> None:
    receipt = enter(intake, reporter=WITHOUT_EMAIL)
    [registered] = told(intake, ReporterRegistered)
    assert unseal(registered.sealed_contact, PRIVATE) == {"email": None}
    shown = asked(copy(intake), PUBLIC, "identity", {"ticket": receipt["ticket"]}, OPERATOR)
    assert shown == {**WITHOUT_EMAIL, "phone": None, "username": None}
    for missing in ("identity_number", "name", "kind"):
        with pytest.raises(InvalidInput):
            enter(intake, reporter={name: value for name, value in WITHOUT_EMAIL.items() if name != missing})


def test_a_person_without_an_email_opens_the_account_and_gives_one_later(intake: IntakeService) -> None:
    opened(intake, enter(intake, reporter=WITHOUT_EMAIL)["access_code"])
    session = asked(copy(intake), PUBLIC, "log_in", {name: NEW[name] for name in ("username", "password")})
    assert session["access_token"]
    asked(copy(intake), PUBLIC, "request_reset", {"username": NEW["username"]})
    intake.answer_resets()
    assert len(told(intake, ReporterRegistered)) == 1


def test_a_reporter_without_an_email_and_a_log_in_is_not_reached_by_a_question(intake: IntakeService) -> None:
    def is_unreachable(ticket: str, actor: Actor = OPERATOR) -> bool:
        return called_by(copy(intake), proved(actor)).is_unreachable(ticket)

    receipt = enter(intake, reporter=WITHOUT_EMAIL)
    for actor in (OPERATOR, MAIN_TEAM):
        assert is_unreachable(receipt["ticket"], actor)
        assert not is_unreachable(enter(intake)["ticket"], actor)
    opened(intake, receipt["access_code"])
    assert not is_unreachable(receipt["ticket"])
    # A team learns from intake neither that there is a complaint nor that there is none.
    assert not is_unreachable("NKK-2026-0000-0000", MAIN_TEAM)


def test_a_paper_is_entered_once_in_its_channel_however_it_is_written(intake: IntakeService) -> None:
    first = enter(intake, channel="letter", paper="Surat 7")["ticket"]
    before = stored(intake)
    for written in ("Surat 7", "surat  7"):
        with pytest.raises(PaperEnteredBefore) as refusal:
            enter(intake, channel="letter", paper=written)
        assert refusal.value.details == {"ticket": first}
    after = stored(intake)
    assert {name for name in after if after[name] != before[name]} == {"used_boxes"}
    assert enter(intake, channel="counter", paper="Surat 7")["ticket"] != first


def test_a_paper_of_a_report_about_the_operator_is_to_them_as_one_never_entered(intake: IntakeService) -> None:
    first = enter(intake, channel="letter", paper="Surat 11")["ticket"]
    with intake.uow.begin() as work:
        work.recuse(first, OPERATOR.id)
    second = enter(intake, channel="letter", paper="Surat 11")
    assert second["ticket"] != first
    assert second["access_code"]


def test_of_two_operators_who_enter_a_paper_at_once_one_is_told_the_ticket(intake: IntakeService) -> None:
    together = threading.Barrier(4)

    def send(_: int) -> tuple[str, str]:
        together.wait()
        try:
            return "entered", enter(intake, channel="letter", paper="8")["ticket"]
        except AlreadyDone as refusal:
            return "refused", refusal.details["ticket"]

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(send, range(4)))
    assert sorted(how for how, _ in outcomes) == ["entered", "refused", "refused", "refused"]
    assert len({ticket for _, ticket in outcomes}) == 1


def test_an_entry_sent_again_is_the_same_and_a_paper_does_not_refuse_it(intake: IntakeService) -> None:
    first = enter(intake, paper="9", idempotency_key="k")
    assert enter(intake, paper="9", idempotency_key="k") == first
    renewed(intake, first["ticket"])
    assert enter(intake, paper="9", idempotency_key="k")["access_code"] is None


def test_a_renewed_code_ends_the_one_before_and_is_recorded(intake: IntakeService) -> None:
    receipt = enter(intake)
    code = renewed(intake, receipt["ticket"])
    with pytest.raises(AccessCodeRefused):
        opened(intake, receipt["access_code"])
    with intake.uow.database.reading() as connection:
        rows = connection.execute(select(record.c.actor, record.c.ticket).where(record.c.act == "code_renewed")).all()
    assert rows == [(OPERATOR.id, receipt["ticket"])]
    opened(intake, code)
    with pytest.raises(AccountOpenedBefore):
        renewed(intake, receipt["ticket"])
    view = seen(intake, receipt["ticket"])
    assert view["entered"]["account_opened"]


def test_what_no_operator_entered_has_no_code_for_operators(intake: IntakeService) -> None:
    by_website = enter(intake, WEBSITE, channel=None)["ticket"]
    for ticket in (by_website, "open", "confidential"):
        with pytest.raises(NotEnteredByStaff):
            renewed(intake, ticket)
        assert seen(intake, ticket)["entered"] is None


def test_the_receipt_is_of_the_code_that_opens_the_account(intake: IntakeService) -> None:
    receipt = enter(intake, channel="letter")

    def printed(code: str) -> dict[str, Any]:
        form = {"ticket": receipt["ticket"], "access_code": code}
        return asked(copy(intake), PUBLIC, "paper_receipt", form, OPERATOR)

    held = printed(receipt["access_code"].lower())
    assert (held["channel"], held["service_due_at"]) == ("letter", receipt["service_due_at"])
    renewed(intake, receipt["ticket"])
    with pytest.raises(AccessCodeRefused):
        printed(receipt["access_code"])
