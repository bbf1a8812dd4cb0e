"""The accounts of websites, on either database: kept from the command line only, and no staff accounts."""

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import jwt
import pytest

from nkk.sop import faults
from nkk.sop.refusals import InvalidInput, NotAuthenticated
from nkk.trust.actor import Actor
from services.intake.attempts import FREE
from services.intake.domain import UnknownAccount, UnknownWebsite, UsernameTaken
from services.intake.service import IntakeService
from tests.boxes import asked, called_by, proved
from tests.intake import ADMIN, NEW, PUBLIC, STAFF, intake_at

NAME = "portal-kota"


@pytest.fixture
def intake(url_of: Callable[[str], str]) -> Iterator[IntakeService]:
    """Yield intake on either database."""
    with intake_at(url_of("intake")) as service:
        yield service


def ask(intake: IntakeService, method: str, **content: Any) -> Any:
    return asked(copy(intake), PUBLIC, method, content, ADMIN)


def log_in(intake: IntakeService, name: str, secret: str) -> Any:
    return asked(copy(intake), PUBLIC, "log_in", {"username": name, "password": secret})


def actor_of(session: Any) -> Actor:
    token = session["access_token"].rpartition(".")[0]
    claims = jwt.decode(token, options={"verify_signature": False})
    return Actor(claims["sub"], claims["role"], session=claims["sid"])


def names(intake: IntakeService, method: str) -> list[str]:
    found = getattr(called_by(copy(intake), proved(ADMIN)), method)()
    return [row.get("username") or row["name"] for row in (found["items"] if method == "staff" else found)]


def test_a_website_logs_in_with_its_secret_and_has_a_role_of_its_own(intake: IntakeService) -> None:
    secret = ask(intake, "add_website", name=NAME)["secret"]
    assert len(secret) >= 40
    assert log_in(intake, NAME.upper(), secret)["role"] == "website"
    with pytest.raises(NotAuthenticated):
        log_in(intake, NAME, secret + "x")
    assert NAME in names(intake, "websites")


def test_a_new_secret_ends_the_sessions_of_the_old_one_and_its_slow_down(intake: IntakeService) -> None:
    old = ask(intake, "add_website", name=NAME)["secret"]
    session = log_in(intake, NAME, old)
    for _ in range(FREE):
        with pytest.raises(NotAuthenticated):
            log_in(intake, NAME, "wrong")
    new = ask(intake, "rotate_website", name=NAME)["secret"]
    with pytest.raises(NotAuthenticated):
        asked(copy(intake), PUBLIC, "renew", {"refresh_token": session["refresh_token"]})
    with pytest.raises(NotAuthenticated):
        called_by(copy(intake), actor_of(session)).check_in()
    assert log_in(intake, NAME, new)["role"] == "website"
    with pytest.raises(NotAuthenticated):
        log_in(intake, NAME, old)


def test_a_removed_website_has_no_session_and_its_name_is_free_for_another(intake: IntakeService) -> None:
    secret = ask(intake, "add_website", name=NAME)["secret"]
    session = log_in(intake, NAME, secret)
    ask(intake, "remove_website", name=NAME)
    assert NAME not in names(intake, "websites")
    with pytest.raises(NotAuthenticated):
        called_by(copy(intake), actor_of(session)).check_in()
    for method in ("remove_website", "rotate_website"):
        with pytest.raises(UnknownWebsite):
            ask(intake, method, name=NAME)
    with pytest.raises(NotAuthenticated):
        log_in(intake, NAME, secret)
    again = log_in(intake, NAME, ask(intake, "add_website", name=NAME)["secret"])
    assert actor_of(again).id != actor_of(session).id


def test_a_website_is_no_staff_and_staff_are_no_websites(intake: IntakeService) -> None:
    ask(intake, "add_website", name=NAME)
    assert NAME not in names(intake, "staff")
    for method, more in (
        ("staff_account", {}),
        ("disable_staff", {}),
        ("let_staff_in", {}),
        ("reset_staff", {"password": NEW}),
    ):
        with pytest.raises(UnknownAccount):
            ask(intake, method, username=NAME, **more)
    for method in ("remove_website", "rotate_website"):
        with pytest.raises(UnknownWebsite):
            ask(intake, method, name="operator")
    with pytest.raises(InvalidInput):
        ask(intake, "add_staff", **(STAFF | {"role": "website"}))
    for method, taken in (("add_website", {"name": "operator"}), ("add_staff", STAFF | {"username": NAME})):
        with pytest.raises(UsernameTaken):
            ask(intake, method, **taken)


def test_a_name_that_cannot_be_is_refused(intake: IntakeService) -> None:
    with pytest.raises(InvalidInput) as refusal:
        ask(intake, "add_website", name="portal kota")
    assert refusal.value.details["fields"] == {"name": [faults.NO_USERNAME()]}
