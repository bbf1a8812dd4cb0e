"""A sealed box is accepted once, by all instances of intake together, whatever the answer was."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from nkk.messaging.boxes import Question, UsedBoxError
from nkk.sop.refusals import InvalidInput, NotAuthenticated, Refused
from nkk.trust.actor import Actor
from services.intake.domain import IdentityWithheld, LastAdmin
from services.intake.resets import ResetExpired
from services.intake.service import IntakeService
from services.intake.storage import accounts, complaints, sessions, used_boxes
from tests.boxes import PROOF, asked
from tests.intake import (
    ADMIN,
    CALLS,
    NEW,
    NOW,
    OPERATOR,
    PEOPLE,
    PUBLIC,
    REGISTRATION,
    REPORTER,
    intake_at,
    question,
    sent,
    stored,
)

REFUSED: dict[str, tuple[Actor | None, dict[str, Any], type[Refused]]] = {
    "log_in": (None, {"username": "pelapor", "password": "salah"}, NotAuthenticated),
    "identity": (OPERATOR, {"ticket": "confidential"}, IdentityWithheld),
    "disable_staff": (ADMIN, {"username": "admin"}, LastAdmin),
    "register": (None, REGISTRATION | {"email": "no address"}, InvalidInput),
    "complete_reset": (None, {"token": "another code", "password": NEW}, ResetExpired),
    "change_password": (REPORTER, {"password": "pelapor", "new_password": "short"}, InvalidInput),
}


@pytest.fixture
def intake(url_of: Callable[[str], str]) -> Iterator[IntakeService]:
    """Yield intake on either database."""
    with intake_at(url_of("intake")) as service:
        yield service


@pytest.mark.parametrize("method", CALLS)
def test_a_box_is_good_once(intake: IntakeService, method: str) -> None:
    asking, (actor, _) = question(method), CALLS[method]
    asking.answer(sent(intake, method, asking.box, actor))
    before = stored(intake)
    for _ in range(2):
        with pytest.raises(UsedBoxError):
            sent(intake, method, asking.box, actor)
    assert stored(intake) == before


@pytest.mark.parametrize("method", REFUSED)
def test_a_box_is_used_up_by_a_refusal_too(intake: IntakeService, method: str) -> None:
    """An act that was refused must not be carried out by a replay once circumstances have changed."""
    actor, content, refusal = REFUSED[method]
    box = Question(method, content, PUBLIC, PROOF if actor else None).box
    with pytest.raises(refusal):
        sent(intake, method, box, actor)
    with intake.uow.database.writing() as connection:
        connection.execute(update(accounts).values(password_hash="hash of salah"))
        connection.execute(update(complaints).values(confidential=False))
        connection.execute(update(accounts).where(accounts.c.id == OPERATOR.id).values(role="admin"))
    before = stored(intake)
    with pytest.raises(UsedBoxError):
        sent(intake, method, box, actor)
    assert stored(intake) == before


@pytest.mark.parametrize("refresh_token", ["unknown", "", "x" * 201])
def test_a_renewal_with_a_token_that_nobody_has_leaves_nothing_behind(
    intake: IntakeService, refresh_token: str
) -> None:
    """No box is stored, since anybody could fill the table; the unknown token lets no replay succeed."""
    box, before = Question("renew", {"refresh_token": refresh_token}, PUBLIC).box, stored(intake)
    for _ in range(2):
        with pytest.raises((NotAuthenticated, InvalidInput)):
            sent(intake, "renew", box, None)
    assert stored(intake) == before


def test_a_renewal_of_a_session_that_has_ended_leaves_nothing_behind(intake: IntakeService) -> None:
    with intake.uow.begin() as work:
        work.connection.execute(update(sessions).values(ended_at=NOW))
    before = stored(intake)
    with pytest.raises(NotAuthenticated):
        sent(intake, "renew", question("renew").box, None)
    assert stored(intake) == before


def test_what_a_refused_act_had_done_is_undone(intake: IntakeService) -> None:
    taken = REGISTRATION | {"username": "pelapor"}
    with pytest.raises(Refused):
        asked(intake, PUBLIC, "register", taken)
    after = stored(intake)
    assert len(after["used_boxes"]) == 1
    assert (len(after["accounts"]), len(after["reporters"]), after["outbox"]) == (len(PEOPLE) + 1, 2, [])


@pytest.mark.parametrize("method", ["log_in", "identity"])
def test_of_instances_that_are_given_one_box_at_once_one_carries_it_out(intake: IntakeService, method: str) -> None:
    asking, (actor, _) = question(method), CALLS[method]
    together = threading.Barrier(4)

    def send(_: int) -> int:
        together.wait()
        try:
            asking.answer(sent(intake, method, asking.box, actor))
        except UsedBoxError:
            return 0
        return 1

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(send, range(4))) == 1
    assert len(stored(intake)["used_boxes"]) == 1


def test_used_boxes_are_forgotten_long_after_they_were_good(intake: IntakeService) -> None:
    box = question("renew").box
    sent(intake, "renew", box, None)
    intake.forget_boxes()
    with pytest.raises(UsedBoxError):
        sent(intake, "renew", box, None)
    with intake.uow.database.writing() as connection:
        connection.execute(update(used_boxes).values(sealed_at=NOW - timedelta(days=1, seconds=1)))
    intake.forget_boxes()
    with intake.uow.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(used_boxes)).scalar_one() == 0


@pytest.mark.parametrize(
    ("session", "changed", "is_open"),
    [
        (REPORTER.session, {}, True),
        ("s-operator", {}, False),
        (None, {}, False),
        ("", {}, False),
        (REPORTER.session, {"ended_at": NOW}, False),
        (REPORTER.session, {"expires_at": NOW}, False),
    ],
)
def test_whose_session_is_open_is_known(
    intake: IntakeService, session: str | None, changed: dict[str, Any], is_open: bool
) -> None:
    with intake.uow.begin() as work:
        if changed:
            work.connection.execute(update(sessions).values(changed))
        assert work.accounts.session_is_open(session, REPORTER.id, NOW) is is_open


def test_the_session_of_a_disabled_account_is_not_open(intake: IntakeService) -> None:
    with intake.uow.begin() as work:
        work.connection.execute(update(accounts).values(disabled_at=NOW))
        assert not work.accounts.session_is_open(REPORTER.session, REPORTER.id, NOW)
