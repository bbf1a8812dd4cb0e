"""A person opens the account of an entry by its code, on either database."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from nkk.contracts.events import PasswordResetRequested
from nkk.sop.refusals import InvalidInput, Refused
from services.intake.domain import SENT_AGAIN_WITHIN, UsernameTaken
from services.intake.entries import CODE_LIFETIME, AccessCodeRefused
from services.intake.service import IntakeService
from services.intake.storage import entries, outbox
from tests.boxes import asked
from tests.intake import ENTRY, NEW, NOW, OPERATOR, PUBLIC, WEBSITE, intake_at, stored

NAME = "warga-portal"


@pytest.fixture
def intake(url_of: Callable[[str], str]) -> Iterator[IntakeService]:
    """Yield intake on either database."""
    with intake_at(url_of("intake")) as service:
        yield service


@pytest.fixture
def receipt(intake: IntakeService) -> dict[str, Any]:
    """The receipt of an entry."""
    return asked(copy(intake), PUBLIC, "submit_for", ENTRY, WEBSITE)


def opened(intake: IntakeService, code: str, username: str = NAME, password: str = NEW) -> str:
    content = {"access_code": code, "username": username, "password": password}
    return asked(copy(intake), PUBLIC, "open_account", content)["reporter_id"]


def log_in(intake: IntakeService, username: str = NAME, password: str = NEW) -> Any:
    return asked(copy(intake), PUBLIC, "log_in", {"username": username, "password": password})


def later(intake: IntakeService, time: timedelta) -> None:
    """Let `time` pass for entries, by moving their times into the past."""
    with intake.uow.database.writing() as connection:
        for row in connection.execute(select(entries)).all():
            used = row.used_at and row.used_at - time
            values = {"expires_at": row.expires_at - time, "used_at": used}
            connection.execute(update(entries).where(entries.c.ticket == row.ticket).values(values))


def test_a_code_opens_the_account_whose_name_and_password_the_person_chooses(
    intake: IntakeService, receipt: dict[str, Any]
) -> None:
    reporter_id = opened(intake, receipt["access_code"].lower().replace("-", " "))
    assert log_in(intake)["role"] == "reporter"
    shown = asked(copy(intake), PUBLIC, "identity", {"ticket": receipt["ticket"]}, OPERATOR)
    assert shown == {**ENTRY["reporter"], "phone": None, "username": NAME}
    with intake.uow.reading() as work:
        assert work.complaints.get(receipt["ticket"]).reporter_id == reporter_id


def test_used_expired_and_unknown_codes_look_the_same(intake: IntakeService, receipt: dict[str, Any]) -> None:
    used = receipt["access_code"]
    opened(intake, used)
    refusals = []
    for code in (used, "7H4K-Q2MV-0NXV-3M3W", "", "code"):
        if code == "code":
            later(intake, CODE_LIFETIME)
        with pytest.raises(Refused) as refusal:
            opened(intake, code, "nama-lain")
        refusals.append((type(refusal.value), refusal.value.details))
    assert refusals[0] == refusals[1] == refusals[3]
    assert refusals[0][0] is AccessCodeRefused
    assert refusals[2][0] is InvalidInput


def test_a_code_is_good_until_its_last_moment(intake: IntakeService) -> None:
    # The entry was made when this module was imported, perhaps long ago.
    later(intake, NOW + CODE_LIFETIME - datetime.now(UTC) - timedelta(minutes=5))
    assert opened(intake, "code") == "masuk"


def test_a_name_that_is_taken_or_a_poor_password_uses_up_nothing(
    intake: IntakeService, receipt: dict[str, Any]
) -> None:
    before = stored(intake)
    with pytest.raises(UsernameTaken):
        opened(intake, receipt["access_code"], "pelapor")
    for name, password in (("X", NEW), (NAME, "kurang")):
        with pytest.raises(InvalidInput):
            opened(intake, receipt["access_code"], name, password)
    after = stored(intake)
    assert {name for name in after if after[name] != before[name]} == {"used_boxes"}
    opened(intake, receipt["access_code"])


def test_the_same_registration_sent_again_at_once_has_the_same_answer(
    intake: IntakeService, receipt: dict[str, Any]
) -> None:
    first = opened(intake, receipt["access_code"])
    assert opened(intake, receipt["access_code"]) == first
    for changed in ({"username": "nama-lain"}, {"password": "sandi yang lain 7"}):
        with pytest.raises(AccessCodeRefused):
            opened(intake, receipt["access_code"], **changed)
    later(intake, SENT_AGAIN_WITHIN)
    with pytest.raises(AccessCodeRefused):
        opened(intake, receipt["access_code"])


def test_of_those_who_use_a_code_at_once_one_gets_the_account(intake: IntakeService, receipt: dict[str, Any]) -> None:
    together = threading.Barrier(6)

    def use(number: int) -> str | None:
        together.wait()
        try:
            opened(intake, receipt["access_code"], f"warga-{number}")
        except AccessCodeRefused:
            return None
        return f"warga-{number}"

    with ThreadPoolExecutor(6) as pool:
        (name,) = [name for name in pool.map(use, range(6)) if name]
    assert log_in(intake, name)["role"] == "reporter"


def test_the_same_registration_sent_twice_at_the_same_time_has_the_same_answer(
    intake: IntakeService, receipt: dict[str, Any]
) -> None:
    together = threading.Barrier(4)

    def use(_number: int) -> str:
        together.wait()
        return opened(intake, receipt["access_code"])

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(use, range(4)))) == 1


def test_of_two_accounts_that_are_given_one_name_at_once_one_gets_it(
    intake: IntakeService, receipt: dict[str, Any]
) -> None:
    together, codes = threading.Barrier(2), [receipt["access_code"], "code"]

    def use(code: str) -> bool:
        together.wait()
        try:
            opened(intake, code)
        except UsernameTaken:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(use, codes)) == [False, True]


def test_from_then_on_a_forgotten_password_is_replaced_by_letter(
    intake: IntakeService, receipt: dict[str, Any]
) -> None:
    def letters() -> int:
        asked(copy(intake), PUBLIC, "request_reset", {"email": ENTRY["reporter"]["email"]})
        intake.answer_resets()
        with intake.uow.database.reading() as connection:
            rows = connection.execute(select(outbox.c.id).where(outbox.c.type == PasswordResetRequested.TYPE))
            return len(rows.all())

    assert letters() == 0
    opened(intake, receipt["access_code"])
    assert letters() == 1
    with intake.uow.reading() as work:
        index = intake.vault.address_index(ENTRY["reporter"]["email"])
        (since,) = work.accounts.oldest(index, 3).values()
    assert since >= NOW
