"""An access token whose session has ended gives no access to intake, though it has not expired."""

import uuid
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from nkk.desk import Calendars
from nkk.sop.refusals import NotAuthenticated
from nkk.trust.actor import Actor
from services.intake.calendar import with_years
from services.intake.service import IntakeService
from services.intake.storage import accounts, sessions
from tests.boxes import called_by
from tests.builders import REPORT, own_upload
from tests.effort import DATABASES
from tests.intake import ADMIN, CALLS, MAIN_TEAM, NOW, OPERATOR, REPORTER, WEBSITE, intake_at, question, sent, stored
from tests.stages import methods

PLAIN: dict[str, tuple[Actor, tuple[Any, ...]]] = {
    "log_out": (REPORTER, ()),
    "submit": (REPORTER, (REPORT, "a key")),
    "complaints": (REPORTER, ()),
    "complaint": (REPORTER, ("open",)),
    "supplement": (REPORTER, ("open", [own_upload()])),
    "attached_before": (REPORTER, ([own_upload()["id"]],)),
    "withdraw": (REPORTER, ("open", "Sudah selesai.")),
    "notes": (OPERATOR, ("open",)),
    "recuse": (OPERATOR, ("open", "Kerabat.")),
    "add_note": (OPERATOR, ("open", "Pelapor menelepon.")),
    "is_unreachable": (OPERATOR, ("open",)),
    "recused_from": (OPERATOR, ()),
    "ask": (OPERATOR, ("open", "Kapan?")),
    "abandon": (OPERATOR, ("open", "Tanpa jawaban tidak dapat diperiksa.")),
    "open_file": (OPERATOR, ("open", "1")),
    "is_confidential": (OPERATOR, ("open",)),
    "subjects": (OPERATOR, (["open"],)),
    "worklist": (OPERATOR, ()),
    "hand_over": (OPERATOR, ("open",)),
    "claim": (OPERATOR, ("open",)),
    "release": (OPERATOR, ("open",)),
    "staff": (ADMIN, ()),
    "websites": (ADMIN, ()),
    "entries": (WEBSITE, ()),
    "entry": (WEBSITE, ("open",)),
    "staff_names": (ADMIN, ([OPERATOR.id],)),
    "replace_lists": (ADMIN, ({"opds": {"satu": "Satu"}},)),
    "check_in": (ADMIN, ()),
    "seats": (ADMIN, ()),
    "unseen": (ADMIN, ([],)),
    "reencrypt": (ADMIN, ()),
    "calendar": (ADMIN, ()),
    "calendar_versions": (ADMIN, ()),
    "replace_calendar": (ADMIN, (0, with_years(None, [2027]))),
    "set_day": (ADMIN, ("2027-03-01", {"kind": "closed", "name": "Tutup"})),
    "republish": (ADMIN, ("2026-01-01T00:00:00+00:00",)),
}
"""One call of each method that takes no sealed box."""

OPEN_TO_ALL = {"national_days"}
"""Methods that return no data of intake's, and so need no open session."""


HOUR = timedelta(hours=1)


@pytest.fixture(scope="module", params=DATABASES)
def intake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IntakeService]:
    """Yield intake on either database, with sessions that have ended besides the open ones."""
    url = f"sqlite:///{tmp_path_factory.mktemp('ended')}/intake.db"
    if request.param == "postgres":
        postgres, name = request.getfixturevalue("postgres"), f"ended_{uuid.uuid4().hex[:8]}"
        postgres.create(name)
        url = postgres.url(name)
    with intake_at(url) as service:
        service.calendars = Calendars(service.uow)
        service.extend_calendar()
        with service.uow.begin() as work:
            for actor in (REPORTER, OPERATOR, MAIN_TEAM, ADMIN):
                work.connection.execute(
                    insert(accounts).values(
                        id=f"disabled-{actor.id}",
                        login_index=f"disabled-{actor.id}",
                        password_hash="x",
                        role=actor.role,
                        created_at=NOW,
                        disabled_at=NOW,
                    )
                )
                for name, account, ended_at, expires_at in (
                    ("logged-out", actor.id, NOW, NOW + HOUR),
                    ("ran-out", actor.id, None, NOW),
                    ("disabled", f"disabled-{actor.id}", None, NOW + HOUR),
                ):
                    session = f"{name}-{actor.id}"
                    work.connection.execute(
                        insert(sessions).values(
                            id=session,
                            account_id=account,
                            refresh_hash=session,
                            ended_at=ended_at,
                            expires_at=expires_at,
                        )
                    )
        yield service


def whose_session_ended(actor: Actor) -> list[Actor]:
    """Return actors whose session is logged out, expired, of a disabled account, unknown, or another account's."""
    another = OPERATOR if actor != OPERATOR else ADMIN
    return [
        *(
            replace(actor, session=session)
            for session in (f"logged-out-{actor.id}", f"ran-out-{actor.id}", "unknown", another.session)
        ),
        replace(actor, id=f"disabled-{actor.id}", session=f"disabled-{actor.id}"),
    ]


def call(intake: IntakeService, method: str, actor: Actor) -> Any:
    if method in CALLS:
        return sent(intake, method, question(method).box, actor)
    return getattr(called_by(copy(intake), actor), method)(*PLAIN[method][1])


ALL = {method: actor for method, (actor, _) in [*PLAIN.items(), *CALLS.items()] if actor}


@pytest.mark.parametrize("method", ALL)
def test_whose_session_has_ended_does_nothing_and_is_shown_nothing(intake: IntakeService, method: str) -> None:
    """Their boxes are not stored as used either, because otherwise a stranger could fill the table."""
    before = stored(intake)
    for actor in whose_session_ended(ALL[method]):
        with pytest.raises(NotAuthenticated):
            call(intake, method, actor)
    assert stored(intake) == before


def test_every_method_that_somebody_must_be_logged_in_for_is_tried_here() -> None:
    needed = {name for name, somebody in methods("intake").items() if somebody}
    assert needed - OPEN_TO_ALL == ALL.keys()


def test_an_open_session_submits_and_is_shown_the_list_on_either_database(intake: IntakeService) -> None:
    ticket = call(intake, "submit", REPORTER)["ticket"]
    assert ticket in {item["ticket"] for item in call(intake, "worklist", OPERATOR)["items"]}
